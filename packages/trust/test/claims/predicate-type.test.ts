import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  COSIGN_SIGN_PREDICATE,
  PREDICATE_TYPES,
  predicateTypeMatches,
  predicateTypeOf,
} from '@bulla/trust/claims/predicate-type';
import { TrustFault } from '@bulla/trust/fault/fault';

test('short names and URIs name a type; anything else is wrong use', () => {
  for (const [name, uri] of Object.entries(PREDICATE_TYPES))
    assert.equal(predicateTypeOf(name), uri);
  assert.equal(predicateTypeOf('https://example.dev/x'), 'https://example.dev/x');
  for (const wrong of ['', 'slsa', 'constructor', '__proto__', 'a b', ' https://x']) {
    assert.throws(
      () => predicateTypeOf(wrong),
      (error) => error instanceof TrustFault && error.code === 'usage.invalid',
      wrong,
    );
  }
});

const ROWS: readonly (readonly [wanted: string, found: string, matches: boolean])[] = [
  [PREDICATE_TYPES.slsaprovenance1, PREDICATE_TYPES.slsaprovenance1, true],
  [PREDICATE_TYPES.slsaprovenance1, PREDICATE_TYPES.slsaprovenance, false],
  [PREDICATE_TYPES.openvex, 'https://openvex.dev/ns/v0.2.0', true],
  [PREDICATE_TYPES.openvex, 'https://openvex.dev/ns/v0.2.0/evil', false],
  [PREDICATE_TYPES.openvex, 'https://openvex.dev/nsx', false],
  [PREDICATE_TYPES.cyclonedx, 'https://cyclonedx.org/bom/v1.6', true],
  [PREDICATE_TYPES.spdx, 'https://spdx.dev/Document/v2.3', true],
  [PREDICATE_TYPES.spdx, 'https://spdx.dev/Document/v', false],
  ['https://openvex.dev/ns/v0.2.0', PREDICATE_TYPES.openvex, false],
  ['https://slsa.dev/provenance', 'https://slsa.dev/provenance/v1', false],
  [COSIGN_SIGN_PREDICATE, `${COSIGN_SIGN_PREDICATE}/v1`, false],
];

for (const [wanted, found, matches] of ROWS) {
  test(`${found} is ${matches ? '' : 'not '}of type ${wanted}`, () => {
    assert.equal(predicateTypeMatches(wanted, found), matches);
  });
}
