// Each member of a case changes what is decided: one that is ignored would make a test lie.
import assert from 'node:assert/strict';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Registry, startRegistry } from '@bulla/server/registry';
import { pushMultiArch } from '../../../../journeys/artifact.ts';
import { bulla, emptyFolder, vector } from './run.ts';

const NEWER = `sha256:${'5'.repeat(64)}`;

function policyText(name: string, more: string): string {
  return `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: ${name} }
spec:
  images: [{ glob: "**/app" }]
  authorities: { dev: { key: { ref: second.pub } } }
${more}
`;
}

const SIGNED = '  require: { signed: { of: [dev] } }';
const SCANNED =
  '  require: { attested: { type: vuln, by: [dev], maxAge: 7d, time: claimed } }\n  tree: named';

const POLICIES: Readonly<Record<string, string>> = {
  signed: SIGNED,
  pull: `  surfaces: [pull]\n${SIGNED}`,
  shop: `  namespaces: [{ exact: shop }]\n${SIGNED}`,
  production: `  environments: [production]\n${SIGNED}`,
  rollback: `  rollback: refuse\n${SIGNED}`,
  scanned: SCANNED,
};

let folder: Awaited<ReturnType<typeof emptyFolder>>;
let registry: Registry;
const path = (name: string) => join(folder.path, name);

const CLAIMED = '2026-11-01T00:00:00Z';

/** A registry with `app:v1`, signed and scanned, and `app:leaf`, of which only arm64 is signed. */
before(async () => {
  folder = await emptyFolder();
  registry = await startRegistry({ storage: 'memory' });
  await cp(vector('keys/second.pub'), path('second.pub'));
  for (const [name, more] of Object.entries(POLICIES)) {
    await writeFile(path(`${name}.yaml`), policyText(name, more));
  }
  const scan = {
    invocation: { uri: '', event_id: '', producer_id: '' },
    scanner: { uri: '', version: '', db: { uri: '', version: '' }, result: { Results: [] } },
    metadata: { scanStartedOn: CLAIMED, scanFinishedOn: CLAIMED },
  };
  await writeFile(path('scan.json'), JSON.stringify(scan));
  const image = `${registry.host}/app:v1`;
  const { arm64 } = await pushMultiArch(`${registry.host}/app`, 'leaf');
  const key = ['--key', vector('keys/second.plain.pem')];
  for (const args of [
    ['copy', `oci:${vector('oci/cosign-key-legacy')}:p256`, image],
    ['sign', ...key, image],
    ['attest', ...key, '--type', 'vuln', '--predicate', path('scan.json'), image],
    ['sign', ...key, `${registry.host}/app@${arm64}`],
  ]) {
    const { code, err } = await bulla(args);
    assert.equal(code, 0, err);
  }
});

after(async () => {
  await registry.close();
  await folder[Symbol.asyncDispose]();
});

interface CaseRow {
  readonly name: string;
  readonly policy: keyof typeof POLICIES;
  readonly tag?: string;
  /** Further members of the case, in YAML. */
  readonly says: string;
  readonly expect: string;
}

const NOT_COVERED = '{ outcome: deny, code: policy.no-match }';

const CASES: readonly CaseRow[] = [
  { name: 'an image in a registry', policy: 'signed', says: '', expect: 'admit' },
  {
    name: 'one that is not there',
    policy: 'signed',
    tag: 'gone',
    says: '',
    expect: '{ outcome: deny, code: artifact.not-found }',
  },
  { name: 'at the gate, which is the default', policy: 'pull', says: '', expect: NOT_COVERED },
  { name: 'at a pull', policy: 'pull', says: 'surface: pull', expect: 'admit' },
  { name: 'of a namespace', policy: 'shop', says: 'namespace: shop', expect: 'admit' },
  { name: 'of another', policy: 'shop', says: 'namespace: kiosk', expect: NOT_COVERED },
  {
    name: 'of an environment',
    policy: 'production',
    says: 'environment: production',
    expect: 'admit',
  },
  {
    name: 'of another environment',
    policy: 'production',
    says: 'environment: staging',
    expect: NOT_COVERED,
  },
  {
    name: 'as another name',
    policy: 'signed',
    says: 'as: registry.example/other',
    expect: NOT_COVERED,
  },
  {
    name: 'as the whole',
    policy: 'signed',
    tag: 'leaf',
    says: '',
    expect: '{ outcome: deny, code: signature.none }',
  },
  {
    name: 'as the platform that is signed',
    policy: 'signed',
    tag: 'leaf',
    says: 'platform: linux/arm64',
    expect: 'admit',
  },
  {
    name: 'as the platform that is not',
    policy: 'signed',
    tag: 'leaf',
    says: 'platform: linux/amd64',
    expect: '{ outcome: deny, code: signature.none }',
  },
  {
    name: 'after the tag went back',
    policy: 'rollback',
    says: `rollback: { newer: "${NEWER}", since: 2026-11-01T00:00:00Z }`,
    expect: '{ outcome: deny, code: tag.rollback }',
  },
  { name: 'without that', policy: 'rollback', says: '', expect: 'admit' },
  {
    name: 'a week after the scan',
    policy: 'scanned',
    says: 'at: 2026-11-08T00:00:00Z',
    expect: 'admit',
  },
  {
    name: 'a second later',
    policy: 'scanned',
    says: 'at: 2026-11-08T00:00:01Z',
    expect: '{ outcome: deny, code: statement.too-old }',
  },
];

function caseText({ name, tag = 'v1', says, expect }: CaseRow): string {
  const more = says === '' ? '' : `    ${says}\n`;
  return `  - name: ${name}\n    image: ${registry.host}/app:${tag}\n${more}    expect: ${expect}\n`;
}

test('every case comes out as it says, by the members that it has', async () => {
  for (const policy of Object.keys(POLICIES)) {
    const own = CASES.filter((row) => row.policy === policy);
    assert.ok(own.length > 0, policy);
    const text = `policy: ${policy}.yaml\ncases:\n${own.map(caseText).join('')}`;
    await writeFile(path(`${policy}.test.yaml`), text);
  }
  const { code, out, err } = await bulla(['policy', 'test', folder.path]);
  assert.equal(code, 0, out + err);
  for (const { name } of CASES) assert.match(out, new RegExp(`^ok {3}${name} \\(`, 'm'));
});
