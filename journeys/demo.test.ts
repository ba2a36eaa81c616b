// What `npm run demo` promises: it shows what it says and ends, or goes on serving with the console.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { openStage, ROOT } from './stage.ts';

const DEMO = ['--conditions=@bulla/source', join(ROOT, 'demo/demo.ts')];

/** In this order. */
const SHOWN = [
  /^ready http:\/\/127\.0\.0\.1:\d+$/,
  /^signed .* sigstore-bundle /,
  /^VERIFIED /,
  /refused by policy starter: signed: sha256:.* carries no signature \(decision [0-9A-Z]{26}\)/,
  /refused by policy starter: payload\.digest/,
  /^DENY .*:unsigned@sha256:/,
  /^Every step did what it says\.$/,
];

function assertShown(lines: readonly string[]): void {
  let from = 0;
  for (const wanted of SHOWN) {
    const at = lines.findIndex((line, index) => index >= from && wanted.test(line));
    assert.ok(at >= 0, `${wanted} is missing after line ${from}:\n${lines.join('\n')}`);
    from = at;
  }
}

test('the demo ends by itself and leaves nothing behind', async () => {
  await using stage = await openStage();
  const env = { ...process.env, TMPDIR: stage.folder };
  const child = spawn(process.execPath, DEMO, {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => lines.push(line));
  }
  const [code] = await once(child, 'close');
  assert.equal(code, 0, lines.join('\n'));
  assertShown(lines);
  assert.deepEqual(await readdir(stage.folder), []);
});

test('with --stay, and without any other client, it goes on with the console until it is interrupted', async () => {
  await using stage = await openStage();
  const env = { ...process.env, TMPDIR: stage.folder, PATH: dirname(process.execPath) };
  const child = spawn(process.execPath, [...DEMO, '--stay'], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const staying = Promise.withResolvers<void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (line === 'Ctrl-C ends it.') staying.resolve();
    });
  }
  const closed = once(child, 'close');
  try {
    await Promise.race([staying.promise, closed]);
    assertShown(lines);
    const link =
      lines
        .find((line) => line.startsWith('sign in, once:'))
        ?.split(/\s+/)
        .at(-1) ?? '';
    const page = await fetch(link);
    assert.equal(page.status, 200, link);
    assert.match(page.headers.get('content-type') ?? '', /^text\/html/);
    const { origin, hash } = new URL(link);
    const signedIn = await fetch(`${origin}/api/bulla/v1/session/link`, {
      method: 'POST',
      headers: { origin, 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ link: new URLSearchParams(hash.slice(1)).get('token'), name: 'ann' },
        password: 'a seal of clay, dried',
      }),
    });
    assert.equal(signedIn.status, 200, 'the link still signs in');
    const cookie = signedIn.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
    const decisions = await fetch(`${origin}/api/bulla/v1/decisions?outcome=deny`, {
      headers: { cookie },
    });
    const { decisions: refused } = (await decisions.json()) as { decisions: { tag: string }[] };
    const tags = new Set(refused.map(({ tag }) => tag));
    assert.deepEqual([...tags].sort(), ['tampered', 'unsigned'], 'the console shows the same');
  } finally {
    child.kill('SIGINT');
  }
  assert.deepEqual((await closed)[0], 0, lines.join('\n'));
  assert.deepEqual(await readdir(stage.folder), []);
});
