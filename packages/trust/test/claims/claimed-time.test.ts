import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { claimedTime } from '@bulla/trust/claims/claimed-time';
import { PREDICATE_TYPES } from '@bulla/trust/claims/predicate-type';
import { parseStatement, type Statement } from '@bulla/trust/claims/statement';

function attestedAs(predicateType: string, predicate: unknown): Statement {
  const subject = [{ digest: { sha256: '0'.repeat(64) } }];
  const document = { _type: 'https://in-toto.io/Statement/v1', subject, predicateType, predicate };
  return parseStatement(utf8(JSON.stringify(document)), 'the statement');
}

const T = '2026-02-03T04:05:06Z';
const ROWS: readonly {
  readonly type: string;
  readonly predicate: unknown;
  readonly expect: string | null;
}[] = [
  { type: PREDICATE_TYPES.vuln, predicate: { metadata: { scanFinishedOn: T } }, expect: T },
  {
    type: PREDICATE_TYPES.slsaprovenance02,
    predicate: { metadata: { buildFinishedOn: T } },
    expect: T,
  },
  {
    type: PREDICATE_TYPES.slsaprovenance1,
    predicate: { runDetails: { metadata: { finishedOn: T } } },
    expect: T,
  },
  { type: PREDICATE_TYPES.spdx, predicate: { creationInfo: { created: T } }, expect: T },
  {
    type: 'https://cyclonedx.org/bom/v1.5',
    predicate: { metadata: { timestamp: T } },
    expect: T,
  },
  { type: PREDICATE_TYPES.openvex, predicate: { timestamp: T }, expect: T },
  { type: PREDICATE_TYPES.custom, predicate: { Data: '', Timestamp: T }, expect: T },
  { type: PREDICATE_TYPES.vsa, predicate: { timeVerified: T }, expect: T },
  {
    type: 'https://in-toto.io/attestation/vulns/v0.2',
    predicate: { metadata: { scanFinishedOn: T } },
    expect: T,
  },
  { type: PREDICATE_TYPES.vuln, predicate: {}, expect: null },
  { type: PREDICATE_TYPES.vuln, predicate: null, expect: null },
  { type: PREDICATE_TYPES.vuln, predicate: { metadata: { scanFinishedOn: 'now' } }, expect: null },
  { type: PREDICATE_TYPES.spdx, predicate: 'SPDXVersion: SPDX-2.3', expect: null },
  { type: 'https://example.dev/x', predicate: { timestamp: T }, expect: null },
];

for (const { type, predicate, expect } of ROWS) {
  test(`a statement of ${type} says when it was made: ${JSON.stringify(predicate)}`, () => {
    const time = claimedTime(attestedAs(type, predicate));
    assert.deepEqual(time, expect === null ? null : new Date(expect));
  });
}
