import assert from 'node:assert/strict';
import test from 'node:test';
import { parseJson } from '@bulla/trust/bytes/json';
import { type Cursor, cursor } from '@bulla/trust/bytes/shape';
import { TrustFault } from '@bulla/trust/fault/fault';
import { type LogEntry, logEntryJson, parseLogEntry } from '@bulla/trust/logentries/entry';
import fc from 'fast-check';

function at(value: unknown): Cursor {
  const bytes = Buffer.from(JSON.stringify(value));
  return cursor(parseJson(bytes, 'entry'), 'entry', 'bundle.malformed');
}

const PROOF = {
  logIndex: '4',
  rootHash: 'AAAA',
  treeSize: '9',
  hashes: ['AQID'],
  checkpoint: { envelope: 'note' },
};
const ENTRY = {
  logIndex: '5',
  logId: { keyId: 'AQID' },
  kindVersion: { kind: 'dsse', version: '0.0.1' },
  integratedTime: '1700000000',
  inclusionPromise: { signedEntryTimestamp: 'BAUG' },
  inclusionProof: PROOF,
  canonicalizedBody: 'e30=',
};
const SNAKE = {
  log_index: 5,
  log_id: { key_id: 'AQID' },
  kind_version: { kind: 'dsse', version: '0.0.1' },
  integrated_time: 1_700_000_000,
  inclusion_promise: { signed_entry_timestamp: 'BAUG' },
  inclusion_proof: {
    log_index: 4,
    root_hash: 'AAAA',
    tree_size: 9,
    hashes: ['AQID'],
    checkpoint: { envelope: 'note' },
  },
  canonicalized_body: 'e30=',
};

test('camelCase with strings and snake_case with numbers are the same entry', () => {
  const entry = parseLogEntry(at(ENTRY));
  assert.deepEqual(parseLogEntry(at(SNAKE)), entry);
  assert.equal(entry.logIndex, 5n);
  assert.equal(entry.integratedTime?.toISOString(), '2023-11-14T22:13:20.000Z');
  assert.equal(entry.inclusionProof?.treeSize, 9n);
});

test('what ProtoJSON leaves out is zero, empty or absent', () => {
  const { logId, kindVersion, canonicalizedBody } = ENTRY;
  const { rootHash, checkpoint } = PROOF;
  const inclusionProof = { rootHash, checkpoint };
  const entry = parseLogEntry(at({ logId, kindVersion, canonicalizedBody, inclusionProof }));
  assert.equal(entry.logIndex, 0n);
  assert.equal(entry.integratedTime, null);
  assert.equal(entry.inclusionPromise, null);
  assert.equal(entry.inclusionProof?.logIndex, 0n);
  assert.deepEqual(entry.inclusionProof?.hashes, []);
});

for (const { name, value } of [
  { name: 'null', value: null },
  { name: 'without signature', value: {} },
  { name: 'with an empty signature', value: { signedEntryTimestamp: '' } },
]) {
  test(`a promise that is ${name} is none`, () => {
    const entry = parseLogEntry(at({ ...ENTRY, inclusionPromise: value }));
    assert.equal(entry.inclusionPromise, null);
  });
}

const REFUSED: readonly { name: string; value: unknown }[] = [
  { name: 'a string', value: 'entry' },
  { name: 'an unknown field', value: { ...ENTRY, more: 1 } },
  {
    name: 'an unknown field in the proof',
    value: { ...ENTRY, inclusionProof: { ...PROOF, a: 1 } },
  },
  { name: 'a field in both spellings', value: { ...ENTRY, log_index: '5' } },
  { name: 'no log id', value: { ...ENTRY, logId: undefined } },
  { name: 'no kind', value: { ...ENTRY, kindVersion: {} } },
  { name: 'no body', value: { ...ENTRY, canonicalizedBody: undefined } },
  { name: 'a body that is not base64', value: { ...ENTRY, canonicalizedBody: '{}' } },
  { name: 'a negative index', value: { ...ENTRY, logIndex: '-1' } },
  { name: 'an index beyond 63 bits', value: { ...ENTRY, logIndex: String(2n ** 63n) } },
  { name: 'an index that JSON rounds', value: { ...ENTRY, logIndex: 2 ** 53 } },
  { name: 'a time beyond any date', value: { ...ENTRY, integratedTime: '8640000000001' } },
  { name: 'no root', value: { ...ENTRY, inclusionProof: { ...PROOF, rootHash: undefined } } },
  {
    name: 'no checkpoint',
    value: { ...ENTRY, inclusionProof: { ...PROOF, checkpoint: undefined } },
  },
  {
    name: '65 hashes',
    value: { ...ENTRY, inclusionProof: { ...PROOF, hashes: new Array(65).fill('AAAA') } },
  },
];

for (const { name, value } of REFUSED) {
  test(`an entry with ${name} is refused`, () => {
    assert.throws(() => parseLogEntry(at(value)), { code: 'bundle.malformed' });
  });
}

test('a service may say more than is known', () => {
  const value = { ...ENTRY, more: 1, inclusionProof: { ...PROOF, more: 1 } };
  assert.deepEqual(parseLogEntry(at(value), { ignoreUnknown: true }), parseLogEntry(at(ENTRY)));
});

const UINT63 = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
const BYTES = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
const SECONDS = fc.bigInt({ min: 0n, max: 8_640_000_000_000n });
const ENTRIES: fc.Arbitrary<LogEntry> = fc
  .record(
    {
      logIndex: UINT63,
      logId: BYTES,
      kind: fc.string(),
      version: fc.string(),
      integratedTimeSeconds: SECONDS,
      inclusionPromise: fc.option(
        fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes)),
      ),
      inclusionProof: fc.option(
        fc.record(
          {
            logIndex: UINT63,
            rootHash: BYTES,
            treeSize: UINT63,
            hashes: fc.array(BYTES, { maxLength: 64 }),
            checkpoint: fc.string(),
          },
          { noNullPrototype: true },
        ),
      ),
      canonicalizedBody: BYTES,
    },
    { noNullPrototype: true },
  )
  .map((entry) => ({
    ...entry,
    integratedTime:
      entry.integratedTimeSeconds === 0n
        ? null
        : new Date(Number(entry.integratedTimeSeconds) * 1000),
  }));

test('what is written of an entry reads back as the same entry', () => {
  fc.assert(
    fc.property(ENTRIES, (entry) => {
      assert.deepEqual(parseLogEntry(at(logEntryJson(entry))), entry);
    }),
  );
});

test('no JSON makes the parser throw anything but a fault', () => {
  const fields = fc.constantFrom(...Object.keys(ENTRY), ...Object.keys(SNAKE));
  const edited = fc
    .tuple(fields, fc.jsonValue())
    .map(([field, value]) => ({ ...ENTRY, [field]: value }));
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), edited), (value) => {
      try {
        parseLogEntry(cursor(value, 'entry', 'bundle.malformed'));
      } catch (error) {
        assert.ok(error instanceof TrustFault);
        assert.equal(error.code, 'bundle.malformed');
      }
    }),
    { numRuns: 1000 },
  );
});
