import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { PREDICATE_TYPES } from '../../src/claims/predicate-type.ts';
import { explainPredicate } from '../../src/inspect/predicate.ts';

const FOLDER = fileURLToPath(new URL('../../../../vectors/cosign/predicates/', import.meta.url));

const CASES = [
  {
    type: PREDICATE_TYPES.slsaprovenance1,
    file: 'slsaprovenance1.json',
    expect: { builder: 'https://acme.example/builders/hosted/v2' },
  },
  {
    type: PREDICATE_TYPES.slsaprovenance02,
    file: 'slsaprovenance.json',
    expect: { builder: 'https://acme.example/builders/legacy', materials: '1' },
  },
  {
    type: PREDICATE_TYPES.vuln,
    file: 'vuln.json',
    expect: { vulnerabilities: '2', bySeverity: ['1 CRITICAL', '1 HIGH'] },
  },
  {
    type: `${PREDICATE_TYPES.openvex}/v0.2.0`,
    file: 'openvex.json',
    expect: { statements: '2', byStatus: ['1 not_affected', '1 under_investigation'] },
  },
  { type: PREDICATE_TYPES.cyclonedx, file: 'cyclonedx.json', expect: { name: 'acme-app' } },
  { type: PREDICATE_TYPES.spdxjson, file: 'spdxjson.json', expect: { components: '2' } },
];

test('known predicates are summarised', async (t) => {
  for (const { type, file, expect } of CASES) {
    await t.test(file, async () => {
      const predicate: unknown = JSON.parse(await readFile(`${FOLDER}${file}`, 'utf8'));
      const { facts } = explainPredicate(type, predicate);
      assert.deepEqual(
        Object.fromEntries(Object.keys(expect).map((name) => [name, facts[name]])),
        expect,
      );
    });
  }
  await t.test('SPDX in tag-value form', () => {
    const text = 'SPDXVersion: SPDX-2.3\nPackageName: a\nPackageName: b\n';
    const { version, components } = explainPredicate(PREDICATE_TYPES.spdx, text).facts;
    assert.deepEqual([version, components], ['SPDX-2.3', '2']);
  });
});

test('no predicate makes a summary throw', () => {
  const types = fc.constantFrom(...Object.values(PREDICATE_TYPES));
  fc.assert(
    fc.property(types, fc.jsonValue(), (type, predicate) => {
      assert.equal(explainPredicate(type, predicate).facts['type'], type);
    }),
    { numRuns: 500 },
  );
});
