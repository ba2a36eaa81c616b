import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { Decision } from '@bulla/trust/policy/decision';
import { decisionsJson, renderDecision } from '@bulla/trust/policy/render';
import { violations } from '../../../../journeys/json-schema.ts';
import { decided } from '../policy-lab/decide.ts';
import { type PolicyShape, policyOf, ready, setOf, signed } from '../policy-lab/policy.ts';
import { openLab } from '../sigstore-lab/lab.ts';
import { bundleEvidence, mintBundle, statement } from '../sigstore-lab/mint.ts';
import { keyed } from '../sigstore-lab/question.ts';
import { attachBundle, openRepository, putImage } from '../sigstore-lab/repository.ts';
import { testKey } from '../tlog/synthetic-log.ts';

const KEY = testKey('ecdsa-p256');
const lab = openLab();
const byKey: PolicyShape = {
  authorities: [ready(keyed(KEY, 'release'))],
  require: signed(['release']),
};

function repositoryOf(isSigned: boolean) {
  const repository = openRepository();
  const image = putImage(repository, 'an image', { tag: 'v1' });
  const shape = { by: KEY, payload: statement(image.digest), logs: [], stampedAt: [] };
  if (isSigned) attachBundle(repository, image, bundleEvidence(mintBundle(lab, shape)));
  return { repository, image };
}

async function samples(): Promise<readonly Decision[]> {
  const bare = repositoryOf(false).repository;
  const good = repositoryOf(true).repository;
  const policies = setOf(policyOf(byKey), policyOf({ ...byKey, name: 'base', mode: 'audit' }));
  return [
    await decided({ source: good, policies }),
    await decided({ source: bare, policies }),
    await decided({ source: bare, policies: setOf(policyOf({ ...byKey, mode: 'warn' })) }),
    await decided({ source: bare, policies, tag: 'nowhere' }),
    await decided({ source: bare, policies: setOf() }),
  ];
}

test('decisions as JSON are what the published schema says', async () => {
  const path = new URL('../../../../docs/schemas/decision.schema.json', import.meta.url);
  const schema: Readonly<Record<string, unknown>> = JSON.parse(await readFile(path, 'utf8'));
  const document: unknown = JSON.parse(JSON.stringify(decisionsJson(await samples())));
  assert.deepEqual(violations(schema, document), []);
  const wrong = { ...(document as object), more: 1 };
  assert.notDeepEqual(violations(schema, wrong), []);
  const other = { schema: 'https://bulla.dev/schemas/decision/v1', decisions: [{ outcome: 'ok' }] };
  assert.notDeepEqual(violations(schema, other), []);
});

test('a refusal as text: what, by which policy, under which id, and the tree', async () => {
  const { repository, image } = repositoryOf(false);
  const decision = await decided({ source: repository, policies: setOf(policyOf(byKey)) });
  const [title = '', first = '', ...rest] = renderDecision(decision);
  assert.equal(
    title,
    `DENY  registry.example/app@${image.digest}   policy prod   decision ${decision.id}`,
  );
  assert.equal(first, '└─ fail  policy.prod  policy prod (enforce) is not satisfied');
  assert.ok(rest.length > 0);
  assert.ok(rest.every((line) => line.startsWith('   ')));
  assert.ok(rest.some((line) => line.includes('remedy: ')));
});

test('several policies as text, each a branch, and the warnings below', async () => {
  const { repository } = repositoryOf(false);
  const warning = policyOf({ ...byKey, mode: 'warn' });
  const auditing = policyOf({ ...byKey, name: 'base', mode: 'audit' });
  const decision = await decided({ source: repository, policies: setOf(warning, auditing) });
  const lines = renderDecision(decision);
  assert.match(lines[0] ?? '', /^ADMIT .* policies base, prod {3}decision /);
  const branches = lines.filter((line) => /^[├└]/.test(line));
  assert.deepEqual(
    branches.map((line) => line.split('  ')[1]),
    ['policy.base', 'policy.prod'],
  );
  assert.equal(lines.filter((line) => line.startsWith('warning: ')).length, 2);
});

test('foreign text in a decision cannot write to the terminal', async () => {
  const { repository } = repositoryOf(false);
  const decision = await decided({
    source: repository,
    policies: setOf(policyOf(byKey)),
    reference: 'app:\u001b[2J',
    tag: '\u001b[2J',
  });
  assert.ok(!renderDecision(decision).join('\n').includes('\u001b'));
});
