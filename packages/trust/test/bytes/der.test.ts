import assert from 'node:assert/strict';
import test from 'node:test';
import * as der from '@bulla/trust/bytes/der';
import * as writer from '@bulla/trust/bytes/der-writer';
import { TrustFault } from '@bulla/trust/fault/fault';
import fc from 'fast-check';

const { DER } = der;

function hex(text: string): Uint8Array {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

function read(text: string): der.DerValue {
  return der.readDer(hex(text), 'test');
}

const MALFORMED = [
  { name: 'nothing', bytes: '' },
  { name: 'a tag alone', bytes: '30' },
  { name: 'content that is cut', bytes: '0402 01' },
  { name: 'bytes after', bytes: '0500 00' },
  { name: 'an indefinite length', bytes: '3080 0500 0000' },
  { name: 'a long form for 127', bytes: `04817f${'00'.repeat(127)}` },
  { name: 'a long form for 0', bytes: '048100' },
  { name: 'two octets for 128', bytes: `04820080${'00'.repeat(128)}` },
  { name: 'three octets for 256', bytes: `0483000100${'00'.repeat(256)}` },
  { name: 'a length that is cut', bytes: '048201' },
  { name: 'five octets of length', bytes: '04850000000001 00' },
  { name: 'a reserved length', bytes: '04ff' },
  { name: 'a tag number above 30', bytes: '1f1f00' },
  { name: 'a context tag above 30', bytes: 'bf2000' },
] as const;

for (const { name, bytes } of MALFORMED) {
  test(`DER with ${name} is refused`, () => {
    assert.throws(() => read(bytes), { code: 'der.malformed' });
  });
}

test('a value of 4 GiB is refused by its length alone', () => {
  assert.throws(() => read('0484ffffffff'), { code: 'der.limit' });
});

test('over 100,000 values in one are refused', () => {
  const many = writer.writeDer(DER.sequence, Buffer.alloc(2 * 100_001, '0500', 'hex'));
  assert.throws(() => der.derSequence(der.readDer(many, 'test'), 'test'), { code: 'der.limit' });
});

test('nesting of any depth is read level by level, without recursion', () => {
  let bytes = writer.writeNull();
  for (let level = 0; level < 2000; level++) bytes = writer.writeSequence(bytes);
  let value = der.readDer(bytes, 'test');
  for (let level = 0; level < 2000; level++) [value = value] = der.derSequence(value, 'test');
  assert.equal(value.tag, DER.null);
});

test('content and raw are views of what was read', () => {
  const bytes = hex('3003020105');
  const value = der.readDer(bytes, 'test');
  assert.equal(value.raw.buffer, bytes.buffer);
  const [integer] = der.derSequence(value, 'test');
  assert.deepEqual(Buffer.from(integer?.raw ?? []), Buffer.from('020105', 'hex'));
  assert.equal(integer?.content.byteOffset, bytes.byteOffset + 4);
});

const INTEGERS = [
  ['020100', 0n],
  ['02017f', 127n],
  ['02020080', 128n],
  ['020180', -128n],
  ['0202ff7f', -129n],
  ['0201ff', -1n],
  ['0209008000000000000000', 1n << 63n],
] as const;

for (const [bytes, expect] of INTEGERS) {
  test(`the integer ${expect} is read`, () => {
    assert.equal(der.derInteger(read(bytes), 'test'), expect);
  });
}

for (const bytes of ['0200', '02020000', '0202007f', '0202ff80', '0203ffffff']) {
  test(`the integer ${bytes} is not in its shortest form`, () => {
    assert.throws(() => der.derInteger(read(bytes), 'test'), { code: 'der.malformed' });
  });
}

const OIDS = [
  ['0603550403', '2.5.4.3'],
  ['06092a864886f70d010101', '1.2.840.113549.1.1.1'],
  ['060100', '0.0'],
  ['060127', '0.39'],
  ['060128', '1.0'],
  ['06014f', '1.39'],
  ['060150', '2.0'],
  ['0603883703', '2.999.3'],
  ['060a2b0601040183bf300101', '1.3.6.1.4.1.57264.1.1'],
] as const;

for (const [bytes, expect] of OIDS) {
  test(`the object identifier ${expect} is read and written`, () => {
    assert.equal(der.derOid(read(bytes), 'test'), expect);
    assert.deepEqual(Buffer.from(writer.writeOid(expect)), Buffer.from(hex(bytes)));
  });
}

const BAD_OIDS = [
  { name: 'empty', bytes: '0600' },
  { name: 'cut in an arc', bytes: '06022a86' },
  { name: 'with a padded arc', bytes: '06032a8001' },
  { name: 'with a padded first arc', bytes: '06028001' },
  { name: 'with an arc of 200 bits', bytes: `061f2a${'ff'.repeat(29)}7f` },
  { name: 'with 200 arcs', bytes: `0681c8${'2a'.repeat(200)}` },
] as const;

for (const { name, bytes } of BAD_OIDS) {
  test(`an object identifier ${name} is refused`, () => {
    assert.throws(() => der.derOid(read(bytes), 'test'), { code: 'der.malformed' });
  });
}

for (const [bytes, expect] of [
  ['010100', false],
  ['0101ff', true],
] as const) {
  test(`the boolean ${expect} is read`, () => {
    assert.equal(der.derBoolean(read(bytes), 'test'), expect);
  });
}

for (const bytes of ['010101', '0100', '0102ffff']) {
  test(`${bytes} is no boolean of DER`, () => {
    assert.throws(() => der.derBoolean(read(bytes), 'test'), { code: 'der.malformed' });
  });
}

test('a bit string has no unused bits, and an empty one no octet', () => {
  assert.deepEqual(Buffer.from(der.derBitString(read('030200aa'), 'test')), Buffer.from([0xaa]));
  for (const bytes of ['030207aa', '0300', '0301']) {
    assert.throws(() => der.derBitString(read(bytes), 'test'), { code: 'der.malformed' });
  }
});

function time(tag: number, text: string): der.DerValue {
  return der.readDer(writer.writeDer(tag, Buffer.from(text)), 'test');
}

const TIMES = [
  { tag: DER.utcTime, text: '261121021903Z', expect: '2026-11-21T02:19:03.000Z' },
  { tag: DER.utcTime, text: '491231235959Z', expect: '2049-12-31T23:59:59.000Z' },
  { tag: DER.utcTime, text: '500101000000Z', expect: '1950-01-01T00:00:00.000Z' },
  { tag: DER.generalizedTime, text: '20500101000000Z', expect: '2050-01-01T00:00:00.000Z' },
  { tag: DER.generalizedTime, text: '20240229000000Z', expect: '2024-02-29T00:00:00.000Z' },
  { tag: DER.generalizedTime, text: '20261121021903.5Z', expect: '2026-11-21T02:19:03.500Z' },
  {
    tag: DER.generalizedTime,
    text: '20261121021903.123456789Z',
    expect: '2026-11-21T02:19:03.123Z',
  },
  { tag: DER.generalizedTime, text: '99991231235959Z', expect: '9999-12-31T23:59:59.000Z' },
] as const;

for (const { tag, text, expect } of TIMES) {
  test(`the time ${text} is read`, () => {
    assert.equal(der.derTime(time(tag, text), 'test').toISOString(), expect);
  });
}

const BAD_TIMES = [
  { tag: DER.utcTime, text: '2611210219Z' },
  { tag: DER.utcTime, text: '261121021903+0100' },
  { tag: DER.utcTime, text: '261121021903' },
  { tag: DER.utcTime, text: '260230000000Z' },
  { tag: DER.utcTime, text: '260132000000Z' },
  { tag: DER.utcTime, text: '261301000000Z' },
  { tag: DER.utcTime, text: '260101240000Z' },
  { tag: DER.utcTime, text: '260131240000Z' },
  { tag: DER.utcTime, text: '260101006000Z' },
  { tag: DER.utcTime, text: '261231235960Z' },
  { tag: DER.utcTime, text: '20260101000000Z' },
  { tag: DER.generalizedTime, text: '260101000000Z' },
  { tag: DER.generalizedTime, text: '20230229000000Z' },
  { tag: DER.generalizedTime, text: '20260101000000.Z' },
  { tag: DER.generalizedTime, text: '20260101000000,5Z' },
  { tag: DER.generalizedTime, text: '20260101000000Z ' },
  { tag: DER.ia5String, text: '20260101000000Z' },
] as const;

for (const { tag, text } of BAD_TIMES) {
  test(`the time ${text} with tag ${tag} is refused`, () => {
    assert.throws(() => der.derTime(time(tag, text), 'test'), { code: 'der.malformed' });
  });
}

test('text is read from each kind of string, and not from others', () => {
  for (const tag of [DER.utf8String, DER.printableString, DER.ia5String]) {
    assert.equal(der.derText(time(tag, 'Zürich'), 'test'), 'Zürich');
  }
  assert.equal(der.derText(read('1401fc'), 'test'), 'ü');
  for (const bytes of ['0401fc', '0c01fc', '0c03eda080']) {
    assert.throws(() => der.derText(read(bytes), 'test'), { code: 'der.malformed' });
  }
});

test('what is absent or of another type is refused', () => {
  const value = read('0500');
  const readers = [
    der.derSequence,
    der.derSet,
    der.derOid,
    der.derInteger,
    der.derBoolean,
    der.derBitString,
    der.derOctetString,
    der.derText,
    der.derTime,
  ] as const;
  for (const reader of readers) {
    assert.throws(() => reader(undefined, 'test'), { code: 'der.malformed' });
    assert.throws(() => reader(value, 'test'), { code: 'der.malformed' });
  }
});

test('integers, identifiers and lengths come back as they were written', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 1n << 600n }),
      fc.array(fc.bigInt({ min: 0n, max: 1n << 64n }), { maxLength: 10 }),
      fc.uint8Array({ maxLength: 70_000, size: 'max' }),
      (integer, arcs, bytes) => {
        const dotted = ['2', ...(arcs.length === 0 ? ['5'] : arcs)].join('.');
        const written = writer.writeSequence(
          writer.writeInteger(integer),
          writer.writeOid(dotted),
          writer.writeOctetString(bytes),
        );
        const [first, second, third] = der.derSequence(der.readDer(written, 'test'), 'test');
        assert.equal(der.derInteger(first, 'test'), integer);
        assert.equal(der.derOid(second, 'test'), dotted);
        assert.ok(Buffer.from(der.derOctetString(third, 'test')).equals(bytes));
      },
    ),
    { numRuns: 200 },
  );
});

/** Reads everything in `value` by its tag and writes it again. */
function rewrite(value: der.DerValue): Uint8Array {
  const constructed = (value.tag & 0x20) !== 0;
  if (!constructed) return writer.writeDer(value.tag, value.content);
  return writer.writeDer(value.tag, ...der.derChildren(value, 'test').map(rewrite));
}

test('what is read has one spelling: written again it is the same bytes', () => {
  const near = fc
    .array(fc.oneof(fc.constantFrom(0x30, 0x02, 0x01, 0x00, 0x80, 0x81, 0x82, 0x05), fc.nat(255)), {
      maxLength: 12,
    })
    .map((octets) => Uint8Array.from(octets));
  fc.assert(
    fc.property(near, (bytes) => {
      try {
        assert.ok(Buffer.from(rewrite(der.readDer(bytes, 'test'))).equals(bytes));
      } catch (error) {
        assert.ok(error instanceof TrustFault, String(error));
      }
    }),
    { numRuns: 5000 },
  );
});

test('no content throws anything but a fault, whatever its tag', () => {
  const readers = [
    der.derOid,
    der.derInteger,
    der.derBoolean,
    der.derBitString,
    der.derText,
    der.derTime,
    der.derSequence,
    der.derSet,
  ] as const;
  const tags = fc.constantFrom(...Object.values(DER));
  fc.assert(
    fc.property(
      tags,
      fc.oneof(
        fc.uint8Array(),
        fc.string().map((text) => Buffer.from(text)),
      ),
      (tag, content) => {
        const value = der.readDer(writer.writeDer(tag, content), 'test');
        for (const reader of readers) {
          try {
            reader(value, 'test');
          } catch (error) {
            assert.ok(error instanceof TrustFault, String(error));
          }
        }
      },
    ),
    { numRuns: 500 },
  );
});
