import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CODES, isCode } from '../../src/fault/codes.ts';
import { asFault, hasCode, printable, quote, TrustFault } from '../../src/fault/fault.ts';

test('a fault takes the remedy of its code unless it has a better one', () => {
  const plain = new TrustFault('signature.none', 'nothing there');
  assert.equal(plain.remedy, CODES['signature.none'].remedy);
  assert.equal(new TrustFault('signature.none', 'nothing there', 'Do this.').remedy, 'Do this.');
});

test('a fault has its own code, and what is no fault has none', () => {
  assert.ok(hasCode(new TrustFault('signature.none', 'nothing'), 'signature.none'));
  assert.ok(!hasCode(new TrustFault('signature.none', 'nothing'), 'signature.limit'));
  const alike = Object.assign(new Error('no'), { code: 'signature.none' });
  for (const other of [alike, { code: 'signature.none' }, null, undefined]) {
    assert.ok(!hasCode(other, 'signature.none'));
  }
});

test('a code is one of the table', () => {
  assert.ok(isCode('signature.none'));
  for (const other of ['signature.nothing', 'toString', '']) assert.ok(!isCode(other));
});

test('a fault of another copy of the library is still a fault', async () => {
  const url = new URL('../../src/fault/fault.ts?another-copy', import.meta.url);
  const other: typeof import('../../src/fault/fault.ts') = await import(url.href);
  const foreign = new other.TrustFault('json.limit', 'too large');
  assert.equal(foreign instanceof TrustFault, false);
  assert.equal(asFault(foreign), foreign);
});

test('any other error is a defect and keeps its cause', () => {
  const cause = new RangeError('stack');
  const fault = asFault(cause);
  assert.equal(fault.code, 'internal.defect');
  assert.equal(fault.cause, cause);
  assert.equal(asFault('text').code, 'internal.defect');
  // Looks like one of ours, and is not.
  assert.equal(asFault({ code: 'signature.none' }).code, 'internal.defect');
});

const quoted = [
  { name: 'short text', value: 'abc', expect: '"abc"' },
  { name: 'a terminal escape', value: '\u001b[2J', expect: '"\\u001b[2J"' },
  { name: 'a bidirectional override', value: 'a\u202eb', expect: '"a\\u202eb"' },
  { name: 'a line separator', value: 'a\u2028b', expect: '"a\\u2028b"' },
  { name: 'no text', value: 7, expect: '"7"' },
  { name: 'a long text', value: 'x'.repeat(200), expect: `"${'x'.repeat(80)}…"` },
] as const;

for (const { name, value, expect } of quoted) {
  test(`quote: ${name}`, () => {
    assert.equal(quote(value), expect);
  });
}

test('printable leaves what people read and escapes what terminals obey', () => {
  assert.equal(printable('Grüße, 世界'), 'Grüße, 世界');
  assert.equal(printable('a\r\n\u0007b'), 'a\\u000d\\u000a\\u0007b');
});
