import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ALERT_VARIABLES } from '../../src/stream/formats/alert.ts';
import { temporaryFolder } from '../storage/rooms.ts';
import { approved } from './notes.ts';
import { openReceiver, openStreamRoom, streamTo, until } from './room.ts';

const DOCUMENT = join(import.meta.dirname, '../../../../docs/streams.md');
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const KEY = Buffer.from(SECRET.slice(6), 'base64');
const OTHER = Buffer.from('another key of this stream');

type Headers = Readonly<Record<string, string | string[] | undefined>>;
type Verify = (secret: string, headers: Headers, body: string, nowS: number) => boolean;

async function documentedVerifier(folder: string): Promise<Verify> {
  const code = /^```js\n([\s\S]*?)^```/m.exec(await readFile(DOCUMENT, 'utf8'))?.[1];
  assert.ok(code !== undefined);
  const path = join(folder, 'verify.mjs');
  await writeFile(path, code);
  const { verifyWebhook } = await import(pathToFileURL(path).href);
  return verifyWebhook;
}

test('the verifier of docs/streams.md takes what is sent, and nothing that was changed', async () => {
  await using folder = await temporaryFolder();
  const verify = await documentedVerifier(folder.path);
  await using at = await openStreamRoom();
  await using receiver = await openReceiver();
  await at.start([streamTo(receiver.url, { signingKeys: [OTHER, KEY] })]);
  await at.room.record.note(approved('ünïcode ✓'));
  await until('it is sent', () => receiver.got.length === 1);
  const [got] = receiver.got;
  assert.ok(got !== undefined);
  const { headers, body } = got;
  const now = at.room.time.ms / 1000;
  assert.equal(verify(SECRET, headers, body, now), true);
  assert.equal(verify(OTHER.toString(), headers, body, now + 299), true);
  const id = `${headers['webhook-id']}0`;
  const time = String(Number(headers['webhook-timestamp']) + 1);
  const wrong: readonly (readonly [string, string, Headers, string, number])[] = [
    ['another secret', 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', headers, body, now],
    ['another body', SECRET, headers, body.replace('alice', 'mallo'), now],
    ['another id', SECRET, { ...headers, 'webhook-id': id }, body, now],
    ['another time', SECRET, { ...headers, 'webhook-timestamp': time }, body, now],
    ['an old one', SECRET, headers, body, now + 301],
    ['one of the future', SECRET, headers, body, now - 301],
    ['no signature', SECRET, { ...headers, 'webhook-signature': undefined }, body, now],
    [
      'another version',
      SECRET,
      {
        ...headers,
        'webhook-signature': String(headers['webhook-signature']).replaceAll('v1,', 'v2,'),
      },
      body,
      now,
    ],
  ];
  for (const [name, secret, sent, text, when] of wrong) {
    assert.equal(verify(secret, sent, text, when), false, name);
  }
});

test('docs/streams.md names every variable of a template', async () => {
  const text = await readFile(DOCUMENT, 'utf8');
  for (const name of ALERT_VARIABLES) assert.ok(text.includes(`\`${name}\``), name);
});
