import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { createLog } from '../../src/http/log.ts';
import { mint, pemFolder } from '../http/tls/mint.ts';
import { approved } from './notes.ts';
import { type Got, openReceiver, openStreamRoom, streamTo, until } from './room.ts';

const NEW = Buffer.from('the new key of this stream, 32 b');
const OLD = Buffer.from('the old key of this stream, 32 b');

/** The signature by OpenSSL, from the words of the specification: HMAC-SHA256 of `id.timestamp.body`. */
async function opensslSignature(key: Buffer, { headers, body }: Got): Promise<string> {
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const options = [
    'dgst',
    '-sha256',
    '-mac',
    'HMAC',
    '-macopt',
    `hexkey:${key.toString('hex')}`,
    '-binary',
  ];
  const running = promisify(execFile)('openssl', options, { encoding: 'buffer' });
  running.child.stdin?.end(signed);
  const { stdout } = await running;
  return `v1,${stdout.toString('base64')}`;
}

test('requests are signed as Standard Webhooks says, by both keys during a rotation', async () => {
  await using at = await openStreamRoom();
  await using receiver = await openReceiver();
  await at.start([
    streamTo(receiver.url, { signingKeys: [NEW, OLD] }),
    streamTo(receiver.url, { name: 'plain' }),
  ]);
  await at.room.record.note(approved('ünïcode ✓'));
  await until('both are sent', () => receiver.got.length === 2);
  const signed = receiver.got.find(({ body }) => JSON.parse(body).stream === 'siem');
  const plain = receiver.got.find(({ body }) => JSON.parse(body).stream === 'plain');
  assert.ok(signed !== undefined && plain !== undefined);
  assert.equal(plain.headers['webhook-signature'], undefined);
  const seconds = Math.floor(at.room.time.ms / 1000);
  assert.equal(signed.headers['webhook-timestamp'], String(seconds));
  assert.equal(
    signed.headers['webhook-signature'],
    `${await opensslSignature(NEW, signed)} ${await opensslSignature(OLD, signed)}`,
  );
});

test('a certificate that does not verify gets nothing; one of the named authority does', async () => {
  await using files = await pemFolder();
  const authority = mint('authority');
  const server = mint('receiver', { by: authority, purpose: 'server' });
  const caFile = await files.write('ca.pem', authority.certificate);
  const other = await files.write('other.pem', mint('other').certificate);
  await using receiver = await openReceiver(() => 204, {
    key: server.key,
    cert: server.certificate,
  });
  await using at = await openStreamRoom();
  const headers = { authorization: 'Bearer secret' };
  const streams = await at.start([
    streamTo(receiver.url, { name: 'unknown', headers }),
    streamTo(receiver.url, { name: 'other', headers, caFile: other }),
  ]);
  await at.room.record.note(approved('a'));
  await until('both were refused', async () =>
    (await streams.list()).every(({ reason }) => reason?.includes('could not be secured') === true),
  );
  assert.equal(receiver.got.length, 0);
  await using next = await at.start([
    streamTo(receiver.url, { name: 'named', caFile, from: 'beginning' }),
  ]);
  await until('it was sent', async () => (await next.list())[0]?.seq === 1);
  assert.equal(receiver.got.length, 1);
});

test('no secret of a stream is in its status, its dead letters, the log or the metrics', async () => {
  await using at = await openStreamRoom();
  const lines: string[] = [];
  await using receiver = await openReceiver((count) =>
    count % 2 === 0 ? (response) => void response.destroy() : 400,
  );
  const headers = { authorization: 'GenieKey hush-hush' };
  const stream = streamTo(receiver.url, { headers, signingKeys: [NEW], retryForMs: 0 });
  const log = createLog('debug', { write: (line) => void lines.push(line) });
  const streams = await at.start([stream], { log });
  await at.room.record.note(approved('a'));
  await at.room.record.note(approved('b'));
  await until('both are dead', async () => (await streams.list())[0]?.deadLetters === 2);
  const shown = JSON.stringify([
    await streams.list(),
    await streams.deadLetters('siem', { after: 0, limit: 10 }),
    await at.room.tables.db.selectFrom('stream_dead_letters').selectAll().execute(),
    lines,
    (await at.metrics.render()).text,
  ]);
  assert.ok(lines.length > 0);
  for (const secret of ['hush', 'hidden', NEW.toString(), NEW.toString('base64')]) {
    assert.ok(!shown.includes(secret), secret);
  }
});
