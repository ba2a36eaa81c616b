// The daemon of a node as any local user may meet it: garbage, clients that stay or never read, more of them
// than it serves, a socket that was put in the place of its own, and a cache that somebody touched.
import assert from 'node:assert/strict';
import {
  chmod,
  chown,
  cp,
  readdir,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AllDoors, openAllDoors } from './all-doors.ts';
import { type Beside, startNode } from './containerd-daemon.ts';
import { garbageFor } from './garbage.ts';
import { until } from './server.ts';

const NOBODY = 65_534;
/** As many as the daemon serves at a time. */
const PLACES = 512;

let doors: AllDoors;
let token: string;

before(async () => {
  doors = await openAllDoors();
  const wanted = { name: 'nodes', permissions: ['node.ask'] };
  const made = await doors.owner.ask('POST', '/tokens', wanted);
  token = await doors.stage.write('node.token', `${made.json.secret}\n`);
});

after(() => doors[Symbol.asyncDispose]());

interface Node extends AsyncDisposable {
  readonly socket: string;
  readonly cache: string;
  readonly args: readonly string[];
  readonly daemon: Beside;
}

/** A daemon with a socket and a cache of its own, by the name of its test. */
async function openNode(name: string): Promise<Node> {
  const { stage, server } = doors;
  const socket = stage.path(`${name}/run/node.sock`);
  const cache = stage.path(`${name}/cache`);
  const args = [
    ...['--server', server.origin, '--token-file', token],
    ...['--socket', socket, '--cache', cache, '--fresh-for', '0s'],
  ];
  const daemon = await startNode(stage, args);
  return { socket, cache, args, daemon, [Symbol.asyncDispose]: () => daemon.end() };
}

function lineFor(image: string): string {
  const [name, digest] = image.split('@');
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const type = 'application/vnd.oci.descriptor.v1+json';
  const stdin = Buffer.from(JSON.stringify({ mediaType, digest, size: 500 })).toString('base64');
  return `${JSON.stringify({ v: 1, name, digest, type, operation: '', stdin })}\n`;
}

/** What comes back, until the other side is done; empty for a connection that was hung up on. */
function send(path: string, bytes: string | Uint8Array, ends = false): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    let said = '';
    socket.on('data', (part: Buffer) => {
      said += part.toString();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(said));
    if (ends) socket.end(bytes);
    else socket.write(bytes);
  });
}

async function assertHonest({ socket }: Node): Promise<void> {
  const { signed, unsigned } = doors.images;
  assert.match(await send(socket, lineFor(signed)), /^allow /);
  assert.match(await send(socket, lineFor(unsigned)), /^block .*signature\.none/);
}

test('garbage is no answer or a refusal, and the next question is answered', async () => {
  await using node = await openNode('garbage');
  const { mode } = await stat(node.socket);
  assert.equal(mode & 0o777, 0o600);
  const signed = lineFor(doors.images.signed);
  const lines = [
    ...garbageFor(() => 'Host: x\r\n', '/', '/').map(({ bytes }) => bytes()),
    signed + signed,
    signed.replace('{', '{"__proto__":1,'),
    signed.replace('{', '{"name":"a",'),
    signed.replace('"v":1', '"v":2'),
    `${'['.repeat(100_000)}\n`,
  ];
  for (const line of lines) assert.match(await send(node.socket, line, true), /^$|^block - /);
  await assertHonest(node);
});

const STAYING: readonly {
  readonly name: string;
  readonly begin: () => string;
  readonly half: boolean;
}[] = [
  { name: 'say nothing', begin: () => '', half: false },
  { name: 'never end their line', begin: () => '{"v":1,', half: false },
  { name: 'never read', begin: () => lineFor(doors.images.signed), half: false },
  { name: 'stay when they are answered', begin: () => lineFor(doors.images.signed), half: true },
];

for (const { name, begin, half } of STAYING) {
  test(`${PLACES} clients that ${name} hold up others for seconds and no longer`, async () => {
    await using node = await openNode(`stay-${STAYING.findIndex((one) => one.name === name)}`);
    const clients: Socket[] = Array.from({ length: PLACES }, () => {
      const socket = connect({ path: node.socket, allowHalfOpen: half });
      if (half) socket.resume();
      else socket.pause();
      socket.on('error', () => undefined);
      socket.write(begin());
      return socket;
    });
    await until('an honest one is answered', async () => {
      if (/^allow /.test(await send(node.socket, lineFor(doors.images.signed)))) return true;
      await sleep(200);
      return false;
    });
    for (const client of clients) client.destroy();
    await assertHonest(node);
  });
}

test('of a thousand at once each is answered or hung up on, and none let in that is not signed', async () => {
  await using node = await openNode('thousand');
  const { signed, unsigned } = doors.images;
  const asked = Array.from({ length: 1000 }, (_, n) =>
    send(node.socket, lineFor(n % 2 === 0 ? signed : unsigned)),
  );
  const said = await Promise.all(asked);
  assert.ok(said.some((one) => one.startsWith('allow ')));
  for (const [n, one] of said.entries()) {
    assert.match(one, n % 2 === 0 ? /^$|^allow |^block .*node\.busy/ : /^$|^block /);
  }
  await assertHonest(node);
});

const PLACED: readonly {
  readonly name: string;
  readonly place: (socket: string) => Promise<void>;
}[] = [
  { name: 'a link', place: (socket) => symlink('/tmp/elsewhere.sock', socket) },
  { name: 'a file', place: (socket) => writeFile(socket, 'x') },
  {
    name: 'a folder that others can write to',
    place: (socket) => chmod(join(socket, '..'), 0o777),
  },
  {
    name: 'a folder of somebody else',
    place: (socket) => chown(join(socket, '..'), NOBODY, NOBODY),
  },
];

test('where somebody put something in the place of the socket no daemon starts', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root can give files away');
  await using node = await openNode('placed');
  await node.daemon.end('SIGKILL');
  for (const { name, place } of PLACED) {
    await rm(node.socket, { force: true });
    await place(node.socket);
    const { code, all } = await doors.stage.bulla(['node', 'serve', ...node.args]);
    assert.notEqual(code, 0, name);
    assert.match(all, /node\.(socket-taken|folder-unsafe)/, name);
  }
});

/** What somebody does with the files of the cache while the daemon is down. */
const TOUCHED: readonly {
  readonly name: string;
  readonly touch: (cache: string, other: string) => Promise<void>;
}[] = [
  { name: 'cut off', touch: async (cache) => eachPass(cache, (file) => truncate(file, 40)) },
  { name: 'emptied', touch: async (cache) => eachPass(cache, (file) => truncate(file, 0)) },
  {
    name: 'given to another user',
    touch: async (cache) => eachPass(cache, (file) => chown(file, NOBODY, NOBODY)),
  },
  {
    name: 'opened to others',
    touch: async (cache) => eachPass(cache, (file) => chmod(file, 0o666)),
  },
  {
    name: 'taken from another node',
    async touch(cache, other) {
      const [own = ''] = await passes(cache);
      const [foreign = ''] = await passes(other);
      await cp(join(other, foreign), join(cache, own));
    },
  },
  { name: 'without their key', touch: (cache) => rm(join(cache, 'seal.key')) },
];

async function passes(cache: string): Promise<readonly string[]> {
  return (await readdir(cache)).filter((name) => name.startsWith('pass-'));
}

async function eachPass(cache: string, act: (file: string) => Promise<void>): Promise<void> {
  const names = await passes(cache);
  assert.ok(names.length > 0);
  for (const name of names) await act(join(cache, name));
}

test('passes that somebody touched let nothing in while the server is away, those that nobody did do', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root can give files away');
  const nodes: Node[] = [];
  for (const [n] of [...TOUCHED, 'untouched'].entries()) nodes.push(await openNode(`touched-${n}`));
  const { signed } = doors.images;
  for (const { socket } of nodes) assert.match(await send(socket, lineFor(signed)), /^allow /);
  for (const { daemon } of nodes) await daemon.end('SIGKILL');
  await doors.server.stop();
  try {
    const untouched = nodes.at(-1) ?? assert.fail();
    for (const [n, { touch }] of TOUCHED.entries())
      await touch(nodes[n]?.cache ?? '', untouched.cache);
    for (const [n, node] of nodes.entries()) {
      await using daemon = await startNode(doors.stage, node.args);
      const name = TOUCHED[n]?.name ?? 'untouched';
      const wanted = node === untouched ? /^allow .*stands in/ : /^block .*node\.server-absent/;
      assert.match(await send(node.socket, lineFor(signed)), wanted, name);
      assert.doesNotMatch(daemon.said(), /internal\.defect|\n\s+at /, name);
    }
  } finally {
    await doors.restart();
  }
});
