import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { utf8 } from '../../src/bytes/byte-string.ts';
import { TrustFault } from '../../src/fault/fault.ts';
import { buildParcelManifest, parseParcelList } from '../../src/parcel/contents.ts';

const hex = fc.string({
  unit: fc.constantFrom(...'0123456789abcdef'),
  minLength: 64,
  maxLength: 64,
});
const images = fc.array(
  fc.record(
    { name: fc.string(), digest: hex.map((d) => `sha256:${d}` as const) },
    { noNullPrototype: true },
  ),
);

test('a list that was built is read back', () => {
  fc.assert(
    fc.property(images, (list) => {
      const [blob] = buildParcelManifest(list, null).blobs;
      assert.deepEqual(parseParcelList(blob?.bytes ?? new Uint8Array()), list);
    }),
    { numRuns: 200 },
  );
});

test('no input throws anything but TrustFault', () => {
  const shapes = fc.oneof(
    fc.json().map(utf8),
    fc.uint8Array({ maxLength: 200 }),
    fc
      .record({ mediaType: fc.anything(), images: fc.anything() })
      .map((value) =>
        utf8(JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? 0 : item))),
      ),
  );
  fc.assert(
    fc.property(shapes, (bytes) => {
      try {
        parseParcelList(bytes);
      } catch (error) {
        assert.ok(error instanceof TrustFault);
      }
    }),
    { numRuns: 500 },
  );
});
