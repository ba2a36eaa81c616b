// Every YAML example of the documents is run: here it is loaded, and journeys/ plays what it is part of.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { globSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseConfig } from '@bulla/server/config/parse';
import { problemLine } from '@bulla/trust/bytes/yaml/problem';
import { parsePolicyTest } from '@bulla/trust/policy/cases/parse';
import { checkPolicies } from '@bulla/trust/policy/files/load';
import { parsePolicies } from '@bulla/trust/policy/parse';
import type { PolicySet } from '@bulla/trust/policy/policy-set';
import { type MarkedBlock, markedBlocks } from '../journeys/marked-block.ts';

const ROOT = join(import.meta.dirname, '..');

interface Example extends MarkedBlock {
  readonly document: string;
}

const examples: Example[] = [];
const documents = ['README.md', ...globSync('docs/**/*.md', { cwd: ROOT })];
for (const document of documents.sort()) {
  for (const block of markedBlocks(await readFile(join(ROOT, document), 'utf8'))) {
    if (block.language === 'yaml') examples.push({ ...block, document });
  }
}

/** The policies of an example, with the keys and trust roots that they name written beside them. */
async function loaded(t: TestContext, { text }: Example): Promise<PolicySet> {
  const folder = await mkdtemp(join(tmpdir(), 'bulla-docs-'));
  t.after(() => rm(folder, { recursive: true }));
  const vector = (name: string) => join(ROOT, 'vectors/cosign', name);
  const named = async (file: string, from: string) => {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await cp(vector(from), join(folder, file));
  };
  for (const { authorities, trustRoots } of parsePolicies(Buffer.from(text), 'docs').policies) {
    for (const spec of Object.values(authorities)) {
      if (spec.kind !== 'key' || spec.ref === null) continue;
      // Each a key of its own: some roles must not share one.
      const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      await mkdir(dirname(join(folder, spec.ref)), { recursive: true });
      await writeFile(join(folder, spec.ref), publicKey.export({ format: 'pem', type: 'spki' }));
    }
    for (const { file } of Object.values(trustRoots)) {
      await named(file, 'trust/trusted_root.json');
    }
  }
  const file = join(folder, 'policy.yaml');
  await writeFile(file, text);
  const { set, problems } = await checkPolicies([file]);
  assert.deepEqual(problems.map(problemLine), []);
  assert.ok(set !== null && set.policies.length > 0);
  return set;
}

const CHECKS: Readonly<Record<string, (t: TestContext, example: Example) => Promise<void>>> = {
  async policy(t, example) {
    await loaded(t, example);
  },
  async 'policy-test'(_, { text }) {
    const { problems } = parsePolicyTest(Buffer.from(text), 'docs');
    assert.deepEqual(problems.map(problemLine), []);
  },
  async config(_, { text }) {
    const environment = {
      GHCR_USER: 'a user',
      GHCR_TOKEN: 'a token',
      SIEM_TOKEN: 'Bearer a token',
      SIEM_SIGNING: 'a secret of 24 bytes, or more',
      OPSGENIE_KEY: 'GenieKey a key',
      SLACK_WEBHOOK: 'https://hooks.slack.example/services/a-secret',
      REGISTRY_USER: 'bulla',
      REGISTRY_PASSWORD: 'a-password-of-some-length',
      HARBOR_HOOK_TOKEN: 'a-token-that-is-long-enough',
    };
    const { config, problems } = parseConfig(Buffer.from(text), '/etc/bulla.yaml', environment);
    assert.deepEqual(problems.map(problemLine), []);
    assert.ok(config !== null);
  },
  // journeys/containers.test.ts writes the same for podman and skopeo.
  async containers(_, { text }) {
    const journey = await readFile(join(ROOT, 'journeys/containers.test.ts'), 'utf8');
    const [, setting = ''] = /^ +(\S+: true)$/m.exec(text) ?? [];
    assert.notEqual(setting, '');
    assert.ok(journey.includes(setting), setting);
  },
};

test('there are examples', () => {
  assert.ok(examples.length >= 7, `${examples.length}`);
});

for (const example of examples) {
  const { document, line, mark } = example;
  test(`the YAML of ${document}:${line} holds, without a remark`, async (t) => {
    const [kind = ''] = mark.split(':');
    const check = Object.hasOwn(CHECKS, kind) ? CHECKS[kind] : undefined;
    assert.ok(
      check !== undefined,
      `expected one of ${Object.keys(CHECKS)} above it, found ${mark}`,
    );
    await check(t, example);
  });
}

/** Which policies of the section on tiers cover an image, by the environment that a door was told. */
const TIERS = [
  { environment: 'production', expect: ['base', 'production-tier'] },
  { environment: 'staging', expect: ['base', 'staging-watch'] },
  { environment: 'development', expect: ['base'] },
  // Not knowing never loosens: a policy that only warns is not taken for one that covers the image.
  { environment: null, expect: ['base', 'production-tier'] },
] as const;

test('tiers: each environment has the policies that the document says', async (t) => {
  const [tiers] = examples.filter(({ text }) => text.includes('production-tier'));
  assert.ok(tiers !== undefined);
  const { policies } = await loaded(t, tiers);
  for (const { environment, expect } of TIERS) {
    const scope = { repository: 'registry.example/app', surface: 'gate', namespace: null } as const;
    const covering = policies.filter((policy) => policy.covers({ ...scope, environment }));
    assert.deepEqual(
      covering.map(({ document }) => document.name),
      expect,
      String(environment),
    );
  }
});
