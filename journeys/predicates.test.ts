// Each kind of predicate is attested and found again under its type, and under no other.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startRegistry } from '@bulla/server/registry';
import { pushSmallImage } from './artifact.ts';
import { makeKey, openStage, ROOT } from './stage.ts';

/** A predicate file of cosign's fixtures, or the text of one. */
interface Attested {
  readonly type: string;
  readonly fixture?: string;
  readonly text?: string;
  /** What must hold of the statement. */
  readonly where: string;
}

const PREDICATES: readonly Attested[] = [
  {
    type: 'slsaprovenance',
    text: '{"builder":{"id":"https://ci.example"},"buildType":"make"}',
    where: 'predicate.builder.id == "https://ci.example"',
  },
  {
    type: 'spdxjson',
    fixture: 'spdxjson.json',
    where: 'predicate.spdxVersion.startsWith("SPDX-2")',
  },
  {
    type: 'spdx',
    text: 'SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\n',
    where: 'string(predicate).contains("SPDX-2.3")',
  },
  {
    type: 'openvex',
    text: '{"@context":"https://openvex.dev/ns/v0.2.0","@id":"urn:1","author":"qa","timestamp":"2026-11-01T00:00:00Z","version":1,"statements":[{"vulnerability":{"name":"CVE-2026-1"},"products":[{"@id":"pkg:oci/app"}],"status":"not_affected","justification":"component_not_present"}]}',
    where: 'predicate.statements.all(s, s.status == "not_affected")',
  },
  { type: 'vuln', fixture: 'vuln.json', where: 'has(predicate.scanner)' },
  {
    type: 'link',
    text: '{"name":"build","command":["make"],"materials":{},"byproducts":{},"environment":{}}',
    where: 'predicate.name == "build"',
  },
  {
    type: 'testresult',
    text: '{"result":"PASSED","configuration":[{"name":"ci","digest":{"gitCommit":"00"}}]}',
    where: 'predicate.result == "PASSED"',
  },
  {
    type: 'vsa',
    text: '{"verifier":{"id":"https://v.example"},"timeVerified":"2026-11-01T00:00:00Z","resourceUri":"pkg:oci/app","policy":{"uri":"https://p.example"},"verificationResult":"PASSED","verifiedLevels":["SLSA_BUILD_LEVEL_3"]}',
    where: 'predicate.verificationResult == "PASSED"',
  },
  {
    type: 'https://acme.example/review/v1',
    text: '{"approvals":2}',
    where: 'predicate.approvals >= 2',
  },
];

test('each type of predicate is attested, found and judged', async (t) => {
  await using registry = await startRegistry({ storage: 'memory' });
  await using stage = await openStage();
  const { key, pub } = await makeKey(stage, 'ci');
  let pushed = 0;
  const push = async () => {
    // An image of its own for each, so that nothing is found that another one left.
    const tag = `v${pushed++}`;
    await pushSmallImage(`${registry.host}/team/app`, tag);
    return `${registry.host}/team/app:${tag}`;
  };
  const verify = ['verify', '--key', pub, '--attested'];
  for (const { type, fixture, text, where } of PREDICATES) {
    await t.test(type, async () => {
      const image = await push();
      const path =
        fixture === undefined
          ? await stage.write('predicate', text ?? '')
          : join(ROOT, 'vectors/cosign/predicates', fixture);
      await stage.succeeds(['attest', '--key', key, '--type', type, '--predicate', path, image]);
      assert.match(await stage.succeeds([...verify, type, '--where', where, image]), /^VERIFIED/);
      await stage.ends(1, [...verify, type, '--where', `!(${where})`, image]);
    });
  }
  await t.test('an attestation is found under its own type only, and is no signature', async () => {
    const image = `${registry.host}/team/app:v0`;
    await stage.ends(1, [...verify, 'slsaprovenance1', image]);
    await stage.ends(1, ['verify', '--key', pub, image]);
  });
  await t.test('what does not fit its type is not signed', async () => {
    const image = await push();
    const wrong = await stage.write('wrong', await readFile(pub));
    const attest = ['attest', '--key', key, '--predicate', wrong, '--type'];
    for (const type of ['cyclonedx', 'spdxjson', 'slsaprovenance1']) {
      const { code, all } = await stage.bulla([...attest, type, image]);
      assert.notEqual(code, 0, all);
      assert.match(all, /remedy: /);
    }
  });
});
