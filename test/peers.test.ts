import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PEERS, peer, requirePeer, vectorsFolder } from './peers.ts';

const ROOT = join(import.meta.dirname, '..');

/** Runs `use` with the environment changed, and gives it the reasons with which a test was skipped. */
function underEnvironment(
  changes: Readonly<Record<string, string>>,
  use: (t: { skip(reason?: string): void }, skipped: readonly string[]) => void,
): void {
  const before = { ...process.env };
  const skipped: string[] = [];
  Object.assign(process.env, changes);
  try {
    use({ skip: (reason = '') => void skipped.push(reason) }, skipped);
  } finally {
    process.env = before;
  }
}

test('.ci/run installs every Debian peer', () => {
  const list = /^debian_peers=\((.*)\)$/m.exec(readFileSync(join(ROOT, '.ci/run'), 'utf8'))?.[1];
  const installed = list?.split(' ') ?? [];
  for (const [name, { from }] of Object.entries(PEERS)) {
    if (from === 'debian') assert.ok(installed.includes(name), `${name} is not in .ci/run`);
  }
});

test('a missing peer skips by its name, and fails when peers are required', () => {
  underEnvironment({ PATH: '/nowhere', BULLA_PEERS: '' }, (t, skipped) => {
    assert.equal(peer('skopeo'), null);
    assert.equal(requirePeer(t, 'skopeo'), null);
    assert.deepEqual(skipped, ['peer missing: skopeo']);
  });
  underEnvironment({ PATH: '/nowhere', BULLA_PEERS: 'required' }, (t, skipped) => {
    assert.throws(() => requirePeer(t, 'skopeo'), /skopeo is not installed/);
    assert.equal(requirePeer(t, 'cosign'), null);
    assert.deepEqual(skipped, ['peer missing: cosign']);
  });
});

test('missing vectors skip by their name, and fail in CI', () => {
  underEnvironment({ CI: '' }, (t, skipped) => {
    assert.equal(vectorsFolder(t, 'no-such-suite'), null);
    assert.deepEqual(skipped, ['vectors missing: ../shared/vectors/no-such-suite']);
  });
  underEnvironment({ CI: 'true' }, (t) => {
    assert.throws(() => vectorsFolder(t, 'no-such-suite'), /is missing, and CI=true asks for it/);
  });
});
