import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRegistry } from '../../src/registry.ts';
import { seeded } from '../seeded.ts';
import { temporaryFolder } from '../storage/rooms.ts';
import { ask, digestOf, type ManifestPieces, pushImage } from './client.ts';

const REGISTRY_TS = join(import.meta.dirname, '../../src/registry.ts');
const ROUNDS = 6;
const SEED = 20260101;

async function startChild(folder: string): Promise<{ child: ChildProcess; url: string }> {
  const program = `
    const { startRegistry } = await import(${JSON.stringify(REGISTRY_TS)});
    const { url } = await startRegistry({ storage: 'files', folder: ${JSON.stringify(folder)} });
    console.log(url);`;
  const child = spawn(
    process.execPath,
    ['--conditions=@bulla/source', '--input-type=module', '-e', program],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [line] = await once(child.stdout, 'data');
  return { child, url: String(line).trim() };
}

interface Pushed {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
  readonly pieces: ManifestPieces;
}

/** Pushes until the server is gone, and notes what was acknowledged. */
async function pushUntilKilled(url: string, worker: string, pushed: Pushed[]): Promise<void> {
  for (let n = 0; ; n++) {
    const tag = `${worker}-${n}`;
    // Each has a layer of its own and one that the workers share.
    const layers = [`${tag}${'x'.repeat((n * 7919) % 200_000)}`, `shared ${n}`];
    const subject = pushed.at(-1)?.repository === 'app' ? pushed.at(-1)?.digest : undefined;
    const pieces = {
      layers,
      annotations: { tag },
      ...(subject?.startsWith('sha256:') ? { subject: subject as `sha256:${string}` } : {}),
    };
    try {
      pushed.push({
        repository: 'app',
        tag,
        pieces,
        digest: await pushImage(url, 'app', tag, pieces),
      });
    } catch {
      return;
    }
  }
}

async function checkPulls(url: string, pushed: readonly Pushed[]): Promise<void> {
  for (const { tag, digest, pieces } of pushed) {
    const manifest = await ask(url, { path: `/v2/app/manifests/${tag}` });
    assert.equal(manifest.status, 200, `${tag} was acknowledged`);
    assert.equal(manifest.headers['docker-content-digest'], digest);
    assert.equal(`sha256:${createHash('sha256').update(manifest.body).digest('hex')}`, digest);
    for (const layer of pieces.layers ?? []) {
      const blob = await ask(url, { path: `/v2/app/blobs/${digestOf(layer)}` });
      assert.equal(digestOf(blob.body), digestOf(layer));
    }
    if (pieces.subject === undefined) continue;
    const list = await ask(url, { path: `/v2/app/referrers/${pieces.subject}` });
    assert.ok(list.body.includes(digest), `${tag} is listed among the referrers`);
  }
}

/** Every tag there is, acknowledged or not, leads to whole content. */
async function checkTags(url: string): Promise<void> {
  const { body } = await ask(url, { path: '/v2/app/tags/list' });
  for (const tag of (JSON.parse(body.toString()) as { tags?: string[] }).tags ?? []) {
    const manifest = await ask(url, { path: `/v2/app/manifests/${tag}` });
    assert.equal(manifest.status, 200, tag);
    const { layers } = JSON.parse(manifest.body.toString()) as { layers: { digest: string }[] };
    for (const { digest } of layers) {
      const blob = await ask(url, { path: `/v2/app/blobs/${digest}` });
      assert.equal(digestOf(blob.body), digest);
    }
  }
}

test('kill -9 in the midst of pushes loses nothing that was acknowledged', async () => {
  await using folder = await temporaryFolder();
  const random = seeded(SEED);
  const all: Pushed[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const { child, url } = await startChild(folder.path);
    const pushed: Pushed[] = [];
    try {
      const workers = ['a', 'b', 'c'].map((name) =>
        pushUntilKilled(url, `${name}${round}`, pushed),
      );
      await sleep(100 + random() * 250);
      child.kill('SIGKILL');
      await once(child, 'exit');
      await Promise.all(workers);
    } finally {
      child.kill('SIGKILL');
    }
    all.push(...pushed);
    await using registry = await startRegistry({ storage: 'files', folder: folder.path });
    await checkPulls(registry.url, pushed);
    await checkTags(registry.url);
  }
  assert.ok(all.length >= ROUNDS, `only ${all.length} pushes were acknowledged`);
});
