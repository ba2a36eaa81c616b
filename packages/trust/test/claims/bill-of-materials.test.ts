import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { countPackages } from '@bulla/trust/claims/bill-of-materials';
import { PREDICATE_TYPES } from '@bulla/trust/claims/predicate-type';
import { parseStatement, type Statement } from '@bulla/trust/claims/statement';
import { TrustFault } from '@bulla/trust/fault/fault';

function attestedAs(predicateType: string, predicate: unknown): Statement {
  const subject = [{ digest: { sha256: '0'.repeat(64) } }];
  const document = { _type: 'https://in-toto.io/Statement/v1', subject, predicateType, predicate };
  return parseStatement(utf8(JSON.stringify(document)), 'the statement');
}

const spdx = (predicate: unknown) => attestedAs(PREDICATE_TYPES.spdx, predicate);
const cyclonedx = (predicate: unknown, type: string = PREDICATE_TYPES.cyclonedx) =>
  attestedAs(type, predicate);
const CDX = { bomFormat: 'CycloneDX', specVersion: '1.5' };

const COUNTED: readonly {
  readonly name: string;
  readonly statement: Statement;
  readonly count: number;
}[] = [
  {
    name: 'SPDX 2.3',
    statement: spdx({ spdxVersion: 'SPDX-2.3', packages: [{ name: 'a' }, { name: 'b' }] }),
    count: 2,
  },
  { name: 'SPDX 2.3 without packages', statement: spdx({ spdxVersion: 'SPDX-2.3' }), count: 0 },
  {
    name: 'SPDX tag-value',
    statement: spdx('SPDXVersion: SPDX-2.3\nPackageName: a\nPackageName: b\n'),
    count: 2,
  },
  {
    name: 'SPDX 3',
    statement: spdx({ '@graph': [{ type: 'software_Package' }, { type: 'CreationInfo' }, {}] }),
    count: 1,
  },
  {
    name: 'CycloneDX with components inside of components',
    statement: cyclonedx({ ...CDX, components: [{ components: [{}, {}] }, {}] }),
    count: 4,
  },
  {
    name: 'CycloneDX of a versioned type',
    statement: cyclonedx({ ...CDX, components: [{}] }, 'https://cyclonedx.org/bom/v1.4'),
    count: 1,
  },
  { name: 'CycloneDX of nothing', statement: cyclonedx(CDX), count: 0 },
];

for (const { name, statement, count } of COUNTED) {
  test(`packages are counted: ${name}`, () => {
    assert.equal(countPackages(statement), count);
  });
}

for (const [name, type] of [
  ['spdxjson', PREDICATE_TYPES.spdx],
  ['cyclonedx', PREDICATE_TYPES.cyclonedx],
] as const) {
  test(`the bill of materials that cosign’s fixture attests is read: ${name}`, async () => {
    const path = new URL(`../../../../vectors/cosign/predicates/${name}.json`, import.meta.url);
    const predicate: unknown = JSON.parse(await readFile(path, 'utf8'));
    assert.ok(countPackages(attestedAs(type, predicate)) >= 1);
  });
}

for (const { name, statement } of [
  { name: 'text that is no SPDX', statement: spdx('PackageName: a') },
  { name: 'SPDX of another version', statement: spdx({ spdxVersion: 'SPDX-1.2', packages: [] }) },
  { name: 'packages that are none', statement: spdx({ spdxVersion: 'SPDX-2.3', packages: 'a' }) },
  { name: 'CycloneDX without its name', statement: cyclonedx({ components: [{}] }) },
  { name: 'another type', statement: attestedAs('https://example.dev/bom', CDX) },
  { name: 'no predicate', statement: spdx(null) },
]) {
  test(`a bill of materials is refused: ${name}`, () => {
    assert.throws(
      () => countPackages(statement),
      (error) => error instanceof TrustFault && error.code === 'predicate.malformed',
    );
  });
}
