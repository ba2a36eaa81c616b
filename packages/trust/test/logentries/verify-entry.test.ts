import assert from 'node:assert/strict';
import test from 'node:test';
import { encodeBase64 } from '@bulla/trust/bytes/base64';
import type { EntryInclusionProof, LogEntry } from '@bulla/trust/logentries/entry';
import {
  type EntryMaterial,
  type EntryQuestion,
  verifyLogEntry,
} from '@bulla/trust/logentries/verify-entry';
import { flipped } from '../tlog/merkle-tree.ts';
import { checkpointText, logOf, signatureLine, testKey } from '../tlog/synthetic-log.ts';
import {
  bodyOf,
  ENVELOPE_MATERIAL,
  ENVELOPE_SIGNATURE,
  entryOf,
  failedCodes,
  LOGGED_AT,
  MESSAGE_MATERIAL,
  SPECS,
  type SpecName,
  V1_KEY,
  V1_LOG,
  V2_KEY,
  V2_LOG,
} from './synthetic-entry.ts';

const AT = new Date('2026-06-01T00:00:00Z');

function materialOf(name: string): EntryMaterial {
  return name.startsWith('hashedrekord') ? MESSAGE_MATERIAL : ENVELOPE_MATERIAL;
}

function questionOf(name: SpecName, changes: Partial<EntryQuestion> = {}): EntryQuestion {
  return {
    entry: entryOf(name, bodyOf(name, SPECS[name])),
    logs: [V2_LOG, V1_LOG],
    material: materialOf(name),
    trustedTimes: [],
    at: AT,
    requireProof: true,
    ...changes,
  };
}

async function codesOf(question: EntryQuestion): Promise<string[]> {
  const { finding, time } = await verifyLogEntry(question);
  const codes = failedCodes(finding);
  assert.equal(finding.outcome, codes.length === 0 ? 'pass' : 'fail');
  if (codes.length > 0) assert.equal(time, null, 'a refused entry proves no time');
  return codes;
}

for (const name of Object.keys(SPECS) as SpecName[]) {
  const isV1 = name.endsWith('0.0.1') || name.startsWith('intoto');
  test(`a right entry of ${name} is accepted${isV1 ? ' with its signed time' : ''}`, async () => {
    const { finding, time } = await verifyLogEntry(questionOf(name));
    assert.deepEqual(failedCodes(finding), []);
    assert.deepEqual(time, isV1 ? LOGGED_AT : null);
  });
}

const V1 = questionOf('hashedrekord 0.0.1').entry;
const V2 = questionOf('hashedrekord 0.0.2').entry;

function proofOf(entry: LogEntry): EntryInclusionProof {
  assert.ok(entry.inclusionProof);
  return entry.inclusionProof;
}

function withProof(entry: LogEntry, changes: Partial<EntryInclusionProof>): LogEntry {
  return { ...entry, inclusionProof: { ...proofOf(entry), ...changes } };
}

function resigned(entry: LogEntry, origin: string, size: number): string {
  const text = checkpointText(origin, size, proofOf(entry).rootHash);
  return `${text}\n${signatureLine(text, 'log.example', V2_KEY)}`;
}

const { hashes } = proofOf(V2);
const NO_PROOF = { inclusionProof: null };
const NO_PROMISE = { inclusionPromise: null };

const PROOFS: readonly { name: string; entry: LogEntry; expect: string[] }[] = [
  {
    name: 'of Rekor v1 without promise',
    entry: { ...V1, ...NO_PROMISE },
    expect: [],
  },
  {
    name: 'of Rekor v1 with a promise alone',
    entry: { ...V1, ...NO_PROOF },
    expect: ['tlog.unproven'],
  },
  {
    name: 'of Rekor v1 with neither proof nor promise',
    entry: { ...V1, ...NO_PROOF, ...NO_PROMISE },
    expect: ['tlog.unproven'],
  },
  { name: 'of Rekor v2 without proof', entry: { ...V2, ...NO_PROOF }, expect: ['tlog.unproven'] },
  {
    name: 'of Rekor v2 with a time',
    entry: { ...V2, integratedTime: LOGGED_AT, integratedTimeSeconds: 1_767_323_045n },
    expect: ['tlog.integrated-time-unsigned'],
  },
  {
    name: 'of Rekor v2 with a promise',
    entry: { ...V2, inclusionPromise: V1.inclusionPromise },
    expect: ['tlog.integrated-time-unsigned'],
  },
  {
    name: 'with a flipped promise',
    entry: { ...V1, inclusionPromise: flipped(V1.inclusionPromise ?? new Uint8Array(), 30) },
    expect: ['tlog.promise-invalid'],
  },
  {
    name: 'with another signed time',
    entry: { ...V1, integratedTimeSeconds: V1.integratedTimeSeconds - 3600n },
    expect: ['tlog.promise-invalid'],
  },
  {
    name: 'with another global index',
    entry: { ...V1, logIndex: V1.logIndex + 1n },
    expect: ['tlog.promise-invalid'],
  },
  {
    name: 'of Rekor v2 with another index',
    entry: { ...V2, logIndex: V2.logIndex + 1n },
    expect: ['tlog.proof-mismatch'],
  },
  {
    name: 'with another index in the proof',
    entry: withProof(V2, { logIndex: proofOf(V2).logIndex + 1n }),
    expect: ['tlog.proof-mismatch'],
  },
  {
    name: 'of Rekor v1 with another index in the proof',
    entry: withProof(V1, { logIndex: proofOf(V1).logIndex + 1n }),
    expect: ['tlog.inclusion-invalid'],
  },
  {
    name: 'with another size in the proof',
    entry: withProof(V2, { treeSize: 12n }),
    expect: ['tlog.proof-mismatch'],
  },
  {
    name: 'with another root in the proof',
    entry: withProof(V2, { rootHash: flipped(proofOf(V2).rootHash) }),
    expect: ['tlog.proof-mismatch'],
  },
  {
    name: 'with a hash left out',
    entry: withProof(V2, { hashes: hashes.slice(1) }),
    expect: ['tlog.inclusion-invalid'],
  },
  {
    name: 'with a hash too many',
    entry: withProof(V2, { hashes: [...hashes, new Uint8Array(32)] }),
    expect: ['tlog.inclusion-invalid'],
  },
  {
    name: 'with hashes swapped',
    entry: withProof(V2, { hashes: hashes.toReversed() }),
    expect: ['tlog.inclusion-invalid'],
  },
  {
    name: 'with a flipped hash',
    entry: withProof(V2, { hashes: hashes.with(0, flipped(hashes[0] ?? new Uint8Array())) }),
    expect: ['tlog.inclusion-invalid'],
  },
  {
    name: 'with the checkpoint of a tree of another shape',
    entry: withProof(V2, { checkpoint: resigned(V2, 'log.example', 6), treeSize: 6n }),
    expect: ['tlog.inclusion-invalid'],
  },
  {
    name: 'with a checkpoint that was altered',
    entry: withProof(V2, { checkpoint: proofOf(V2).checkpoint.replace('\n11\n', '\n12\n') }),
    expect: ['tlog.checkpoint-signature'],
  },
  {
    name: 'with the checkpoint of another log',
    entry: withProof(V2, { checkpoint: proofOf(V1).checkpoint }),
    expect: ['tlog.checkpoint-origin'],
  },
  {
    name: 'with a checkpoint that is none',
    entry: withProof(V2, { checkpoint: 'checkpoint' }),
    expect: ['tlog.note-malformed'],
  },
  {
    name: 'with another body under its proof',
    entry: { ...V2, canonicalizedBody: Buffer.concat([V2.canonicalizedBody, Buffer.from(' ')]) },
    expect: ['tlog.inclusion-invalid'],
  },
  {
    name: 'of an unknown log',
    entry: { ...V2, logId: flipped(V2.logId) },
    expect: ['tlog.log-unknown'],
  },
  {
    name: 'that names no log',
    entry: { ...V2, logId: new Uint8Array() },
    expect: ['tlog.log-unknown'],
  },
];

for (const { name, entry, expect } of PROOFS) {
  test(`an entry ${name}: ${expect.join(', ') || 'accepted'}`, async () => {
    assert.deepEqual(await codesOf(questionOf('hashedrekord 0.0.2', { entry })), expect);
  });
}

test('each missing, flipped or repeated hash of a proof is noticed', async () => {
  for (const at of hashes.keys()) {
    const hash = hashes[at] ?? new Uint8Array();
    for (const list of [
      hashes.toSpliced(at, 1),
      hashes.with(at, flipped(hash)),
      hashes.toSpliced(at, 0, hash),
    ]) {
      const entry = withProof(V2, { hashes: list });
      const codes = await codesOf(questionOf('hashedrekord 0.0.2', { entry }));
      assert.deepEqual(codes, ['tlog.inclusion-invalid'], `hash ${at}`);
    }
  }
});

test('a Rekor v1 entry without signed time proves no time, whatever it says', async () => {
  const entry = { ...V1, ...NO_PROMISE };
  const { finding, time } = await verifyLogEntry(questionOf('hashedrekord 0.0.1', { entry }));
  assert.equal(finding.outcome, 'pass');
  assert.equal(time, null);
});

test('a promise alone is enough where the format asks for no proof', async () => {
  const question = questionOf('hashedrekord 0.0.1', {
    entry: { ...V1, ...NO_PROOF },
    requireProof: false,
  });
  const { finding, time } = await verifyLogEntry(question);
  assert.deepEqual(failedCodes(finding), []);
  assert.deepEqual(time, LOGGED_AT);
});

test('a Rekor v2 entry needs its proof where the format asks for none', async () => {
  const question = questionOf('hashedrekord 0.0.2', {
    entry: { ...V2, ...NO_PROOF },
    requireProof: false,
  });
  assert.deepEqual(await codesOf(question), ['tlog.unproven']);
});

test('a Rekor v2 entry is not proved by a checkpoint with a tree id', async () => {
  // An ECDSA log has the same id in both versions, so that only the origin tells them apart.
  const log = { ...logOf(V1_KEY, 1, 'rekor.example'), logId: V2.logId };
  const text = checkpointText('rekor.example - 1', 11, proofOf(V2).rootHash);
  const checkpoint = `${text}\n${signatureLine(text, 'rekor.example', V1_KEY)}`;
  const question = questionOf('hashedrekord 0.0.2', {
    entry: { ...withProof(V2, { checkpoint }), logId: V1_LOG.logId },
    logs: [{ ...log, logId: V1_LOG.logId }],
  });
  assert.deepEqual(await codesOf(question), ['tlog.checkpoint-origin']);
});

const JANUARY = new Date('2026-01-31T00:00:00Z');
const PERIOD = { start: new Date('2026-01-01T00:00:00Z'), end: JANUARY };
const INSIDE = new Date('2026-01-15T00:00:00Z');
const EXPIRED = ['tlog.log-expired'];

const PERIODS: readonly {
  name: string;
  spec: SpecName;
  changes: Partial<EntryQuestion>;
  expect: string[];
}[] = [
  { name: 'the signed time inside', spec: 'dsse 0.0.1', changes: {}, expect: [] },
  {
    name: 'the signed time inside and a timestamp outside',
    spec: 'dsse 0.0.1',
    changes: { trustedTimes: [AT] },
    expect: [],
  },
  {
    name: 'a signed time outside and a timestamp inside',
    spec: 'dsse 0.0.1',
    changes: {
      trustedTimes: [INSIDE],
      logs: [{ ...V1_LOG, validFor: { start: INSIDE, end: null } }],
    },
    expect: EXPIRED,
  },
  {
    name: 'a timestamp inside',
    spec: 'dsse 0.0.2',
    changes: { trustedTimes: [INSIDE] },
    expect: [],
  },
  {
    name: 'a timestamp at the last instant',
    spec: 'dsse 0.0.2',
    changes: { trustedTimes: [JANUARY] },
    expect: [],
  },
  {
    name: 'one of two timestamps outside',
    spec: 'dsse 0.0.2',
    changes: { trustedTimes: [INSIDE, AT] },
    expect: EXPIRED,
  },
  { name: 'no time and the present outside', spec: 'dsse 0.0.2', changes: {}, expect: EXPIRED },
  {
    name: 'no time and the present inside',
    spec: 'dsse 0.0.2',
    changes: { at: INSIDE },
    expect: [],
  },
  {
    name: 'an unsigned time inside and the present outside',
    spec: 'dsse 0.0.1',
    changes: { entry: { ...questionOf('dsse 0.0.1').entry, ...NO_PROMISE } },
    expect: EXPIRED,
  },
];

for (const { name, spec, changes, expect } of PERIODS) {
  test(`a log’s key with ${name} of its period: ${expect.join() || 'accepted'}`, async () => {
    const logs = [V1_LOG, V2_LOG].map((log) => ({ ...log, validFor: PERIOD }));
    assert.deepEqual(await codesOf(questionOf(spec, { logs, ...changes })), expect);
  });
}

test('of several logs with one id the one whose key verifies counts', async () => {
  const impostor = { ...V2_LOG, key: testKey('ed25519').publicKey };
  assert.deepEqual(
    await codesOf(questionOf('hashedrekord 0.0.2', { logs: [impostor, V2_LOG] })),
    [],
  );
  assert.deepEqual(await codesOf(questionOf('hashedrekord 0.0.2', { logs: [impostor] })), [
    'tlog.checkpoint-signature',
  ]);
});

test('an unknown log does not hide that the entry is about something else', async () => {
  const question = questionOf('hashedrekord 0.0.2', { logs: [], material: ENVELOPE_MATERIAL });
  assert.deepEqual(await codesOf(question), ['tlog.log-unknown', 'tlog.entry-mismatch']);
});

test('the envelope may carry signatures that were not logged', async () => {
  const material: EntryMaterial = {
    ...ENVELOPE_MATERIAL,
    signatures: [{ signature: new Uint8Array(70) }, { signature: ENVELOPE_SIGNATURE }],
  };
  for (const name of ['dsse 0.0.1', 'dsse 0.0.2', 'intoto 0.0.2'] as const) {
    assert.deepEqual(await codesOf(questionOf(name, { material })), [], name);
  }
});

test('a body of 5 MiB is refused before it is parsed', async () => {
  const body = Buffer.from(`{"a":"${encodeBase64(new Uint8Array(4 << 20))}"}`);
  const codes = await codesOf(
    questionOf('hashedrekord 0.0.2', { entry: entryOf('hashedrekord 0.0.2', body) }),
  );
  assert.deepEqual(codes, ['json.limit']);
});
