import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { readOpenVex } from '@bulla/trust/claims/open-vex';
import { PREDICATE_TYPES } from '@bulla/trust/claims/predicate-type';
import { parseStatement, type Statement } from '@bulla/trust/claims/statement';
import { TrustFault } from '@bulla/trust/fault/fault';
import fc from 'fast-check';

function attestedAs(
  predicate: unknown,
  predicateType: string = PREDICATE_TYPES.openvex,
): Statement {
  const subject = [{ digest: { sha256: '0'.repeat(64) } }];
  const document = { _type: 'https://in-toto.io/Statement/v1', subject, predicateType, predicate };
  return parseStatement(utf8(JSON.stringify(document)), 'the statement');
}

const timestamp = '2026-02-03T04:05:06Z';
const vex = (...statements: object[]) => attestedAs({ timestamp, statements });
const FIXED = { vulnerability: { name: 'CVE-1' }, status: 'fixed' };

test('the document that cosign’s fixture attests is read', async () => {
  const path = new URL('../../../../vectors/cosign/predicates/openvex.json', import.meta.url);
  const predicate: unknown = JSON.parse(await readFile(path, 'utf8'));
  const read = readOpenVex(attestedAs(predicate, `${PREDICATE_TYPES.openvex}/v0.2.0`));
  assert.deepEqual(
    read.map(({ names, status, isJustified, products }) => [
      names,
      status,
      isJustified,
      products?.flatMap(({ ids }) => ids),
    ]),
    [
      [['CVE-2018-25032'], 'not_affected', true, ['pkg:oci/acme/app']],
      [['CVE-2022-37434'], 'under_investigation', false, ['pkg:oci/acme/app']],
    ],
  );
});

test('a statement’s own time comes before the document’s', () => {
  const own = '2026-03-04T05:06:07Z';
  const [first, second] = readOpenVex(vex(FIXED, { ...FIXED, timestamp: own }));
  assert.deepEqual([first?.at, second?.at], [new Date(timestamp), new Date(own)]);
});

test('the form of version 0.0, with names as bare strings, is read', () => {
  const [read] = readOpenVex(
    vex({
      vulnerability: 'CVE-1',
      products: ['pkg:oci/app'],
      subcomponents: ['pkg:deb/debian/zlib'],
      status: 'fixed',
    }),
  );
  assert.deepEqual(read?.names, ['CVE-1']);
  assert.deepEqual(read?.products?.[0]?.ids, ['pkg:oci/app']);
  assert.deepEqual(read?.products?.[0]?.subcomponents[0]?.ids, ['pkg:deb/debian/zlib']);
});

for (const products of [undefined, null, []]) {
  test(`products ${JSON.stringify(products)} leave the subject as the product`, () => {
    const [read] = readOpenVex(vex({ ...FIXED, products }));
    assert.equal(read?.products, null);
  });
}

for (const { name, statement } of [
  { name: 'no timestamp', statement: attestedAs({ statements: [FIXED] }) },
  { name: 'no instant', statement: attestedAs({ timestamp: 'today', statements: [FIXED] }) },
  { name: 'no statements', statement: attestedAs({ timestamp }) },
  { name: 'an unknown status', statement: vex({ ...FIXED, status: 'fine' }) },
  { name: 'no status', statement: vex({ vulnerability: { name: 'CVE-1' } }) },
  { name: 'no predicate', statement: attestedAs(null) },
  {
    name: 'another type',
    statement: attestedAs({ timestamp, statements: [] }, 'https://x.dev/vex'),
  },
]) {
  test(`a VEX document is refused: ${name}`, () => {
    assert.throws(
      () => readOpenVex(statement),
      (error) => error instanceof TrustFault && error.code === 'predicate.malformed',
    );
  });
}

test('no VEX document throws anything but TrustFault', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (entry, document) => {
      for (const predicate of [document, { timestamp, statements: [entry] }]) {
        try {
          readOpenVex(attestedAs(predicate));
        } catch (error) {
          assert.ok(error instanceof TrustFault, String(error));
        }
      }
    }),
  );
});
