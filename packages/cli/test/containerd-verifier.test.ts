// Everything that containerd or a daemon could give the verifier which is no plain question and answer.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseVerifierRequest } from '@bulla/server/node-agent/parse';
import { computeDigest } from '@bulla/trust/oci/digest';

const VERIFIER = fileURLToPath(new URL('../src/containerd-verifier.ts', import.meta.url));
const DIGEST = computeDigest(Buffer.from('image'));
const OTHER = computeDigest(Buffer.from('other'));
const TYPE = 'application/vnd.oci.descriptor.v1+json';
const NAME = 'registry.example/app:v1';
const ARGS = ['-name', NAME, '-digest', DIGEST, '-stdin-media-type', TYPE];
const DESCRIPTOR = JSON.stringify({
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  digest: DIGEST,
  size: 1,
});

let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bulla-verifier-'));
});

after(() => rm(folder, { recursive: true, force: true }));

interface Verified {
  readonly code: number | null;
  readonly out: string;
}

/** One run; `input` null leaves standard input closed. */
async function verify(
  args: readonly string[],
  input: string | Uint8Array | null,
  settings: object | undefined,
): Promise<Verified> {
  const set = settings === undefined ? '' : `globalThis.bullaVerifier=${JSON.stringify(settings)}`;
  const child = spawn(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(set)}`, VERIFIER, ...args],
    // As containerd starts it: with hardly any environment.
    { stdio: [input === null ? 'ignore' : 'pipe', 'pipe', 'ignore'], env: {}, timeout: 20_000 },
  );
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  let out = '';
  child.stdout?.on('data', (part: Buffer) => {
    out += part.toString();
  });
  await once(child, 'close');
  return { code: child.exitCode, out };
}

/** A daemon that answers as told, and what it was asked. */
async function daemon(answer: (socket: Socket) => void, name = 'node.sock') {
  const place = await mkdtemp(join(folder, 'daemon-'));
  const path = join(place, name);
  let asked = '';
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (part) => {
      asked += part.toString();
      if (asked.endsWith('\n')) answer(socket);
    });
  });
  server.listen({ path });
  await once(server, 'listening');
  return {
    place,
    settings: { socket: path, timeoutMs: 10_000, owner: process.getuid?.() ?? 0 },
    asked: () => asked,
    async [Symbol.asyncDispose]() {
      server.close();
    },
  };
}

const allow = (socket: Socket) => socket.end(`allow ${DIGEST} admitted by Bulla (decision D1)\n`);

test('a pass of the daemon is exit 0 with its reason, and the daemon can read the question', async () => {
  await using node = await daemon(allow);
  const { code, out } = await verify([...ARGS, '-operation', 'run'], DESCRIPTOR, node.settings);
  assert.equal(code, 0);
  assert.equal(out, 'admitted by Bulla (decision D1)\n');
  const line = Buffer.from(node.asked().trimEnd());
  assert.deepEqual(parseVerifierRequest(line), { name: NAME, digest: DIGEST, operation: 'run' });
});

test('a refusal is another exit, with its reason', async () => {
  await using node = await daemon((socket) => {
    socket.end(`block ${DIGEST} signature.none: no signature\n`);
  });
  const { code, out } = await verify(ARGS, DESCRIPTOR, node.settings);
  assert.equal(code, 1);
  assert.equal(out, 'Bulla: signature.none: no signature\n');
});

const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  none: [],
  'no name': ARGS.slice(2),
  'an empty name': ['-name', '', ...ARGS.slice(2)],
  'no digest': [...ARGS.slice(0, 2), ...ARGS.slice(4)],
  'no media type': ARGS.slice(0, 4),
  'a name without its value': [...ARGS.slice(2), '-name'],
  'two names': [...ARGS, '-name', 'registry.example/signed'],
  'an argument of a later containerd': [...ARGS, '-platform', 'linux/amd64'],
  'two dashes': ARGS.map((one) => one.replace(/^-name$/, '--name')),
  'a value behind an equals sign': [`-name=${NAME}`, ...ARGS.slice(2)],
  'something after them': [...ARGS, 'more'],
};

for (const [name, args] of Object.entries(ARGUMENTS)) {
  test(`the verifier blocks for arguments: ${name}`, async () => {
    await using node = await daemon(allow);
    const { code, out } = await verify(args, DESCRIPTOR, node.settings);
    assert.notEqual(code, 0);
    assert.match(out, /^Bulla: .*argument.*\n$/);
    assert.equal(node.asked(), '');
  });
}

test('standard input that is larger than any descriptor blocks', async () => {
  await using node = await daemon(allow);
  const { code, out } = await verify(ARGS, 'x'.repeat((64 << 10) + 1), node.settings);
  assert.notEqual(code, 0);
  assert.match(out, /standard input is over/);
  assert.equal(node.asked(), '');
});

const INPUTS: Readonly<Record<string, string | Uint8Array | null>> = {
  none: null,
  nothing: '',
  'no JSON': 'descriptor',
  'bytes that are no text': Buffer.from([0xff, 0xfe, 0x00]),
};

for (const [name, input] of Object.entries(INPUTS)) {
  test(`standard input is handed on as it came, for the daemon to refuse: ${name}`, async () => {
    await using node = await daemon((socket) => {
      socket.end('block - node.request-invalid: no\n');
    });
    const { code } = await verify(ARGS, input, node.settings);
    assert.notEqual(code, 0);
    const { stdin } = JSON.parse(node.asked()) as { stdin: string };
    assert.deepEqual(Buffer.from(stdin, 'base64'), Buffer.from(input ?? ''));
  });
}

/** Answers that are not one whole line of a pass about this digest. */
const ANSWERS: Readonly<Record<string, string>> = {
  nothing: '',
  'an empty line': '\n',
  'half a pass': `allow ${DIGEST} admitted`,
  'a pass without a reason': `allow ${DIGEST}\n`,
  'a pass of another digest': `allow ${OTHER} yes\n`,
  'a pass of nothing': 'allow - yes\n',
  'a pass of a longer digest': `allow ${DIGEST}0 yes\n`,
  'a pass in upper case': `ALLOW ${DIGEST} yes\n`,
  'a pass after a space': ` allow ${DIGEST} yes\n`,
  'a pass behind a refusal': `block ${DIGEST} no\nallow ${DIGEST} yes\n`,
  'a refusal behind a pass': `allow ${DIGEST} yes\nblock ${DIGEST} no\n`,
  'another word': `permit ${DIGEST} yes\n`,
  JSON: '{"allow":true}\n',
  HTTP: 'HTTP/1.1 200 OK\r\n\r\n',
  'no end': 'a'.repeat(9000),
};

for (const [name, answer] of Object.entries(ANSWERS)) {
  test(`the verifier blocks for an answer of the daemon: ${name}`, async () => {
    await using node = await daemon((socket) => socket.end(answer));
    const { code, out } = await verify(ARGS, DESCRIPTOR, node.settings);
    assert.notEqual(code, 0);
    assert.match(out, /^Bulla: .+\n$/);
    assert.equal(out.indexOf('\n'), out.length - 1);
  });
}

test('a daemon that says nothing is not waited for longer than the settings say', async () => {
  await using node = await daemon(() => undefined);
  const { code, out } = await verify(ARGS, DESCRIPTOR, { ...node.settings, timeoutMs: 200 });
  assert.notEqual(code, 0);
  assert.match(out, /no answer in 200 ms/);
});

test('a daemon that hangs up blocks', async () => {
  await using node = await daemon((socket) => socket.destroy());
  assert.notEqual((await verify(ARGS, DESCRIPTOR, node.settings)).code, 0);
});

test('a reason cannot begin lines of its own or move a terminal', async () => {
  await using node = await daemon((socket) => {
    socket.end(`allow ${DIGEST} good\r\u001b[2J\u0000${'x'.repeat(3000)}\n`);
  });
  const { code, out } = await verify(ARGS, DESCRIPTOR, node.settings);
  assert.equal(code, 0);
  assert.match(out, /^good \[2J x+\n$/);
  assert.ok(out.length <= 1001);
});

const PLACES: Readonly<Record<string, (place: string) => Promise<string>>> = {
  'no daemon': async (place) => join(place, 'nobody.sock'),
  'no folder': async (place) => join(place, 'nothing', 'node.sock'),
  'a file in its place': async (place) => {
    await writeFile(join(place, 'file'), '');
    return join(place, 'file');
  },
  // Whoever can write there can put a socket of their own in its place.
  'a folder that others can write to': async (place) => {
    await chmod(place, 0o777);
    return join(place, 'node.sock');
  },
};

for (const [name, change] of Object.entries(PLACES)) {
  test(`the verifier blocks for ${name}`, async () => {
    await using node = await daemon(allow);
    const socket = await change(node.place);
    const { code, out } = await verify(ARGS, DESCRIPTOR, { ...node.settings, socket });
    assert.notEqual(code, 0);
    assert.match(out, /^Bulla: .+\n$/);
    assert.equal(node.asked(), '');
  });
}

test('the socket of another user is not asked', async (t) => {
  if (process.getuid?.() !== 0) {
    t.skip('only root can give a socket to somebody else');
    return;
  }
  await using node = await daemon(allow);
  const { chown } = await import('node:fs/promises');
  await chown(node.settings.socket, 65_534, 65_534);
  const refused = await verify(ARGS, DESCRIPTOR, node.settings);
  assert.notEqual(refused.code, 0);
  assert.match(refused.out, /belongs to user 65534/);
  const told = await verify(ARGS, DESCRIPTOR, { ...node.settings, owner: 65_534 });
  assert.equal(told.code, 0, 'unless it was installed for that user');
  await mkdir(join(folder, 'done'));
});

test('without its settings it blocks', async () => {
  const { code, out } = await verify(ARGS, DESCRIPTOR, undefined);
  assert.notEqual(code, 0);
  assert.match(out, /install/);
});
