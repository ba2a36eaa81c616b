import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import fc from 'fast-check';
import { parseTarget } from '../../src/http/path.ts';

const CASES: readonly { readonly raw: string; readonly expect: readonly string[] | null }[] = [
  { raw: '/v2/', expect: ['v2', ''] },
  { raw: '/v2', expect: ['v2'] },
  { raw: '/v2/a/b?x=/../y', expect: ['v2', 'a', 'b'] },
  { raw: '/v2/a/blobs/sha256%3Aab', expect: ['v2', 'a', 'blobs', 'sha256:ab'] },
  { raw: '/v2/a%2525', expect: ['v2', 'a%25'] },
  { raw: '/v2//a', expect: null },
  { raw: '//v2/a', expect: null },
  { raw: '/v2/./a', expect: null },
  { raw: '/v2/../a', expect: null },
  { raw: '/v2/%2e%2e/a', expect: null },
  { raw: '/v2/.%2E/a', expect: null },
  { raw: '/v2/a%2fb', expect: null },
  { raw: '/v2/a%2Fb', expect: null },
  { raw: '/v2/a%5cb', expect: null },
  { raw: '/v2/a\\b', expect: null },
  { raw: '/v2/a%00', expect: null },
  { raw: '/v2/a%0d%0aX: y', expect: null },
  { raw: '/v2/a%', expect: null },
  { raw: '/v2/a%zz', expect: null },
  { raw: '/v2/a%c3', expect: null },
  { raw: '/v2/%e2%80%a8', expect: ['v2', '\u2028'] },
  { raw: 'http://other/v2/', expect: null },
  { raw: '*', expect: null },
  { raw: '', expect: null },
  { raw: `/${'a'.repeat(8192)}`, expect: null },
];

for (const { raw, expect } of CASES) {
  test(`${JSON.stringify(raw.slice(0, 40))} is ${expect === null ? 'refused' : 'read'}`, () => {
    if (expect !== null) {
      assert.deepEqual(parseTarget(raw).segments, expect);
      return;
    }
    assert.throws(
      () => parseTarget(raw),
      (error) => error instanceof TrustFault && error.code === 'http.path-invalid',
    );
  });
}

test('no target throws anything but TrustFault or yields an unsafe segment', () => {
  const part = fc.oneof(fc.string(), fc.constantFrom('..', '%2e', '%2F', '/', '%', '%25', '\\'));
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      try {
        for (const segment of parseTarget(`/${parts.join('')}`).segments) {
          assert.doesNotMatch(segment, /^\.\.?$|[/\\\0]/);
        }
      } catch (error) {
        assert.ok(error instanceof TrustFault, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
