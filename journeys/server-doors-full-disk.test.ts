// A full disk under the doors: what must be recorded is refused, what changes no image passes, and all
// goes on when there is room.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { pod, reviewOf } from '../packages/server/test/admission/reviews.ts';
import { type AllDoors, openAllDoors } from './all-doors.ts';
import { startNode } from './containerd-daemon.ts';
import { checkDatabase } from './crash/check.ts';
import { until } from './server.ts';
import { mountSmallDisk, type SmallDisk } from './small-disk.ts';
import { openStage, type Stage } from './stage.ts';

/** A receiver of the record that keeps the numbers of the entries it took. */
async function startReceiver() {
  const taken = new Set<number>();
  const server = createServer((request, response) => {
    text(request).then(
      (lines) => {
        for (const line of lines.trim().split('\n')) taken.add(JSON.parse(line).seq);
        response.writeHead(200).end();
      },
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return {
    url: `http://127.0.0.1:${address.port}/in`,
    taken,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function openSmall(
  t: TestContext,
  size: string,
): Promise<(AsyncDisposable & { readonly stage: Stage; readonly disk: SmallDisk }) | null> {
  await using opened = new AsyncDisposableStack();
  const stage = opened.use(await openStage());
  const disk = await mountSmallDisk(t, stage.path('small'), size);
  if (disk === null) return null;
  opened.use(disk);
  const life = opened.move();
  return { stage, disk, [Symbol.asyncDispose]: () => life.disposeAsync() };
}

const validate = (doors: AllDoors, image: string, more: object = {}) =>
  doors.api.call('validate', reviewOf({ object: pod([image]), ...more }));

const question = (key: string) =>
  JSON.stringify({
    apiVersion: 'externaldata.gatekeeper.sh/v1beta1',
    kind: 'ProviderRequest',
    request: { keys: [key] },
  });

async function askNode({ server }: AllDoors, token: string, image: string) {
  const [name, digest] = image.split('@');
  const answer = await fetch(`${server.origin}/api/bulla/v1/node/decisions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name, digest }),
  });
  return { status: answer.status, said: await answer.text() };
}

test('on a full disk no door lets in what must be recorded, and what changes no image passes', async (t) => {
  const small = await openSmall(t, '24m');
  if (small === null) return;
  await using _small = small;
  const { stage, disk } = small;
  await using receiver = await startReceiver();
  const more = `streams: [{ name: siem, url: "${receiver.url}", format: json, privateAddresses: true, plainHttp: true }]\n`;
  await using doors = await openAllDoors({ stage, data: 'small/data', more });
  const { images, owner } = doors;
  const token = (await owner.ask('POST', '/tokens', { name: 'nodes', permissions: ['node.ask'] }))
    .json.secret;
  const fresh = await doors.push('team/fresh');
  assert.equal((await validate(doors, images.signed)).allowed, true);
  assert.equal((await validate(doors, images.unsigned)).allowed, false);

  await disk.fill();
  await t.test(
    'admission, Gatekeeper and nodes refuse an image that was never let in',
    async () => {
      const called = await validate(doors, fresh);
      assert.equal(called.allowed, false);
      assert.match(called.message, /record\.unavailable|storage\.full/);
      assert.doesNotMatch(
        (await doors.gatekeeper('/gatekeeper/verify', question(fresh))).text,
        /"succeeded":true/,
      );
      assert.doesNotMatch((await askNode(doors, token, fresh)).said, /"outcome":"admit"/);
    },
  );
  await t.test('nor a known one for somebody of whom the record says nothing', async () => {
    const other = { namespace: 'elsewhere', username: 'mallory' };
    assert.equal((await validate(doors, images.signed, other)).allowed, false);
    assert.equal((await validate(doors, images.unsigned)).allowed, false);
  });
  await t.test('what changes no image passes, and so does what ends', async () => {
    const object = pod([images.unsigned]);
    const scaled = { operation: 'UPDATE', object, oldObject: object };
    assert.equal((await doors.api.call('validate', reviewOf(scaled))).allowed, true);
    const gone = { operation: 'DELETE', object: null, oldObject: object };
    assert.equal((await doors.api.call('validate', reviewOf(gone))).allowed, true);
    const changed = { ...scaled, oldObject: pod([images.signed]) };
    assert.equal((await doors.api.call('validate', reviewOf(changed))).allowed, false);
  });
  await t.test('a token that is not kept is not given', async () => {
    const made = await owner.ask('POST', '/tokens', { name: 'lost', permissions: ['node.ask'] });
    assert.ok(made.status >= 500, made.text);
  });
  await disk.empty();
  await t.test('with room again all of it is let in, recorded and sent', async () => {
    await until('it is let in', async () => (await validate(doors, fresh)).allowed);
    const { status } = await askNode(doors, token, fresh);
    assert.equal(status, 200);
    assert.equal((await owner.ask('GET', '/record/verify')).json.outcome, 'pass');
    const { seq } = (await owner.ask('GET', '/record/head')).json;
    await until('the receiver has all', async () => receiver.taken.has(seq));
    const sent = [...receiver.taken].toSorted((one, other) => one - other);
    assert.deepEqual(
      sent,
      Array.from(sent, (_, index) => (sent[0] ?? 0) + index),
    );
  });
  assert.ok(doors.server.isRunning(), doors.server.said());
  assert.doesNotMatch(doors.server.said(), /internal\.defect|unhandled/i);
  await doors.server.stop();
  checkDatabase(doors.server.data);
});

test('a node whose disk is full answers as before; only a restart has forgotten', async (t) => {
  const small = await openSmall(t, '1m');
  if (small === null) return;
  await using _small = small;
  const { stage, disk } = small;
  await using doors = await openAllDoors({ stage });
  const { images, owner } = doors;
  const made = await owner.ask('POST', '/tokens', { name: 'nodes', permissions: ['node.ask'] });
  await stage.write('node.token', `${made.json.secret}\n`);
  const socket = stage.path('run/node.sock');
  const wanted = [
    ...['--server', doors.server.origin, '--token-file', stage.path('node.token')],
    ...['--socket', socket, '--cache', join(stage.path('small'), 'cache'), '--fresh-for', '0s'],
  ];
  await using node = await startNode(stage, wanted);
  const ask = (image: string) => askSocket(socket, image);
  assert.match(await ask(images.unsigned), /^block /);
  await disk.fill();
  assert.match(await ask(images.signed), /^allow /);
  await doors.server.stop();
  // What it knows by heart stands in; what was refused does not.
  assert.match(await ask(images.signed), /^allow .*stands in/);
  assert.match(await ask(images.unsigned), /^block /);
  await node.end('SIGKILL');
  await disk.empty();
  await using again = await startNode(stage, wanted);
  assert.match(await ask(images.signed), /^block .*node\.server-absent/);
  await again.end();
  await doors.restart();
});

/** What a daemon says to the line of a verifier. */
function askSocket(path: string, image: string): Promise<string> {
  const [name, digest] = image.split('@');
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const line = {
    ...{ v: 1, name, digest, type: 'application/vnd.oci.descriptor.v1+json', operation: '' },
    stdin: Buffer.from(JSON.stringify({ mediaType, digest, size: 500 })).toString('base64'),
  };
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    let said = '';
    socket.on('data', (part: Buffer) => {
      said += part.toString();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(said));
    socket.write(`${JSON.stringify(line)}\n`);
  });
}
