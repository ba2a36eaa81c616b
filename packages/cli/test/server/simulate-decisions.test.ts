import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startRegistry } from '@bulla/server/registry';
import { loadPolicies } from '@bulla/trust/policy/files/load';
import { type CliContext, exitTally } from '../../src/context.ts';
import { sharedExpressions } from '../../src/options/decisions.ts';
import { openPlace } from '../../src/server/place.ts';
import { simulateDecisions } from '../../src/server/simulate-decisions.ts';
import { startUp } from '../commands/house.ts';
import { bulla, emptyFolder, vector } from '../commands/run.ts';

const DAY_MS = 24 * 60 * 60_000;

function policyText(mode: string, more: string): string {
  return `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: scanned }
spec:
  images: [{ glob: "**" }]
  mode: ${mode}
  authorities: { scanner: { key: { ref: second.pub } } }
  require: { attested: { type: vuln, by: [scanner]${more} } }
`;
}

let folder: Awaited<ReturnType<typeof emptyFolder>>;
const path = (name: string) => join(folder.path, name);

/** A data folder whose record holds one pull of an image that was scanned just now. */
before(async () => {
  folder = await emptyFolder();
  await cp(vector('keys/second.pub'), path('second.pub'));
  await writeFile(path('audit.yaml'), policyText('audit', ''));
  await writeFile(path('fresh.yaml'), policyText('enforce', ', maxAge: 7d, time: claimed'));
  const scannedAt = new Date().toISOString();
  const scan = {
    invocation: { uri: '', event_id: '', producer_id: '' },
    scanner: { uri: '', version: '', db: { uri: '', version: '' }, result: { Results: [] } },
    metadata: { scanStartedOn: scannedAt, scanFinishedOn: scannedAt },
  };
  await writeFile(path('scan.json'), JSON.stringify(scan));
  await using elsewhere = await startRegistry({ storage: 'memory' });
  await using house = await startUp(path('data'), ['--policy', path('audit.yaml')]);
  const { registry, pushToken } = house.ready;
  const [scanned, image] = [`${elsewhere.host}/app:v1`, `${registry}/app:v1`];
  const attest = ['attest', '--key', vector('keys/second.plain.pem'), '--type', 'vuln'];
  const login = ['--registry-username', 'token', '--registry-password', pushToken ?? ''];
  for (const args of [
    ['copy', `oci:${vector('oci/cosign-key-legacy')}:p256`, scanned],
    [...attest, '--predicate', path('scan.json'), scanned],
    ['copy', ...login, scanned, image],
  ]) {
    const { code, err } = await bulla(args);
    assert.equal(code, 0, err);
  }
  const answer = await fetch(`http://${registry}/v2/app/manifests/v1`, {
    headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
  });
  assert.equal(answer.status, 200, await answer.text());
});

after(() => folder[Symbol.asyncDispose]());

/** The command's context, so many days from now. */
function contextIn(days: number): CliContext {
  return {
    env: {},
    homeFolder: '/nonexistent',
    out: () => undefined,
    err: () => undefined,
    terminal: { in: false, out: false, err: false },
    clock: () => new Date(Date.now() + days * DAY_MS),
    now: () => performance.now(),
    signal: new AbortController().signal,
    exit: exitTally(),
  };
}

async function simulateIn(days: number, at: 'decision' | 'now') {
  const context = contextIn(days);
  const { set: policies } = await loadPolicies([path('fresh.yaml')]);
  await using expressions = sharedExpressions();
  await using api = await openPlace({ data: path('data') }, context);
  const comparing = { policies, against: null, expressions: expressions.runner, context };
  return await simulateDecisions(api, '2020-01-01..', at, comparing);
}

const INSTANTS = [
  { name: 'at once, at its own instant', days: 0, at: 'decision', change: null, codes: [] },
  { name: 'at once, now', days: 0, at: 'now', change: null, codes: [] },
  { name: 'a month later, at its own instant', days: 30, at: 'decision', change: null, codes: [] },
  {
    name: 'a month later, now',
    days: 30,
    at: 'now',
    change: 'refused',
    codes: ['statement.too-old'],
  },
] as const;

for (const { name, days, at, change, codes } of INSTANTS) {
  test(`a past decision is taken again ${name}: ${change ?? 'unchanged'}`, async () => {
    const [image, ...more] = await simulateIn(days, at);
    assert.deepEqual(more, []);
    assert.equal(image?.change, change);
    assert.deepEqual(
      image?.because.map(({ code }) => code),
      codes,
    );
  });
}

/** Every file of a folder by the SHA-256 of its content. */
async function contentsOf(root: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const digests = files.map(async ({ parentPath, name }) => {
    const file = join(parentPath, name);
    return [
      file,
      createHash('sha256')
        .update(await readFile(file))
        .digest('hex'),
    ] as const;
  });
  return new Map((await Promise.all(digests)).sort());
}

test('a simulation changes no file of the data folder', async () => {
  const untouched = await contentsOf(path('data'));
  assert.ok(untouched.size > 3, `${untouched.size}`);
  await simulateIn(30, 'now');
  assert.deepEqual(await contentsOf(path('data')), untouched);
});
