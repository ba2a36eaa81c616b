import { encodeBase64 } from '../bytes/base64.ts';
import { protoField, refuseUnknownFields } from '../bytes/protojson.ts';
import { asArray, asBase64, asString, asUint63, type Cursor, optional } from '../bytes/shape.ts';
import { TrustFault } from '../fault/fault.ts';
import { MAX_PROOF_HASHES } from '../tlog/inclusion.ts';

/** A proof that an entry is in the tree of a checkpoint, as the bundle has it. */
export interface EntryInclusionProof {
  /** Index in the tree of the proof's shard; in Rekor v1 not the entry's global one. */
  readonly logIndex: bigint;
  readonly rootHash: Uint8Array;
  readonly treeSize: bigint;
  readonly hashes: readonly Uint8Array[];
  /** The signed note. */
  readonly checkpoint: string;
}

/** A transparency log entry (sigstore_rekor.proto TransparencyLogEntry); nothing is trusted yet. */
export interface LogEntry {
  readonly logIndex: bigint;
  readonly logId: Uint8Array;
  readonly kind: string;
  readonly version: string;
  /** Null when absent or 0; not a time before its signed entry timestamp was verified. */
  readonly integratedTime: Date | null;
  readonly integratedTimeSeconds: bigint;
  /** The signed entry timestamp of Rekor v1; null when there is none. */
  readonly inclusionPromise: Uint8Array | null;
  readonly inclusionProof: EntryInclusionProof | null;
  /** The entry as the log hashed it. */
  readonly canonicalizedBody: Uint8Array;
}

/** ECMA-262 §21.4.1.1: the last instant that a Date can hold, in seconds. */
const LAST_SECOND = 8_640_000_000_000n;

/**
 * The entry under the cursor, in ProtoJSON: 64-bit numbers as strings or numbers, fields in
 * camelCase or snake_case, zero values possibly absent. Throws the cursor's code; for unknown
 * fields too, unless a service's answer is read, which may have learnt more (`ignoreUnknown`).
 */
export function parseLogEntry(
  at: Cursor,
  options: { readonly ignoreUnknown?: boolean } = {},
): LogEntry {
  const check = options.ignoreUnknown === true ? () => undefined : refuseUnknownFields;
  check(at, [
    'logIndex',
    'logId',
    'kindVersion',
    'integratedTime',
    'inclusionPromise',
    'inclusionProof',
    'canonicalizedBody',
  ]);
  const logId = protoField(at, 'logId');
  check(logId, ['keyId']);
  const kindVersion = protoField(at, 'kindVersion');
  check(kindVersion, ['kind', 'version']);
  const promise = optional(protoField(at, 'inclusionPromise'), (field) => {
    check(field, ['signedEntryTimestamp']);
    return optional(protoField(field, 'signedEntryTimestamp'), asBase64);
  });
  const seconds = integer(protoField(at, 'integratedTime'));
  if (seconds > LAST_SECOND) {
    throw new TrustFault(at.code, `the integratedTime at ${at.path} is beyond any date`);
  }
  return {
    logIndex: integer(protoField(at, 'logIndex')),
    logId: asBase64(protoField(logId, 'keyId')),
    kind: asString(protoField(kindVersion, 'kind')),
    version: asString(protoField(kindVersion, 'version')),
    integratedTime: seconds === 0n ? null : new Date(Number(seconds) * 1000),
    integratedTimeSeconds: seconds,
    inclusionPromise: promise === undefined || promise.length === 0 ? null : promise,
    inclusionProof:
      optional(protoField(at, 'inclusionProof'), (field) => asInclusionProof(field, check)) ?? null,
    canonicalizedBody: asBase64(protoField(at, 'canonicalizedBody')),
  };
}

/** ProtoJSON leaves out a number that is 0. */
function integer(at: Cursor): bigint {
  return optional(at, asUint63) ?? 0n;
}

function asInclusionProof(
  at: Cursor,
  check: (at: Cursor, known: readonly string[]) => void,
): EntryInclusionProof {
  check(at, ['logIndex', 'rootHash', 'treeSize', 'hashes', 'checkpoint']);
  const checkpoint = protoField(at, 'checkpoint');
  check(checkpoint, ['envelope']);
  return {
    logIndex: integer(protoField(at, 'logIndex')),
    rootHash: asBase64(protoField(at, 'rootHash')),
    treeSize: integer(protoField(at, 'treeSize')),
    hashes:
      optional(protoField(at, 'hashes'), (list) => asArray(list, asBase64, MAX_PROOF_HASHES)) ?? [],
    checkpoint: asString(protoField(checkpoint, 'envelope')),
  };
}

/** A JSON value that `JSON.stringify` writes as ProtoJSON. */
export type LogEntryJson = Readonly<Record<string, unknown>>;

/** The entry in the ProtoJSON form that bundles hold; `parseLogEntry` reads back the same entry. */
export function logEntryJson(entry: LogEntry): LogEntryJson {
  const { inclusionProof: proof, inclusionPromise: promise } = entry;
  return {
    logIndex: String(entry.logIndex),
    logId: { keyId: encodeBase64(entry.logId) },
    kindVersion: { kind: entry.kind, version: entry.version },
    ...(entry.integratedTimeSeconds === 0n
      ? {}
      : { integratedTime: String(entry.integratedTimeSeconds) }),
    ...(promise === null
      ? {}
      : { inclusionPromise: { signedEntryTimestamp: encodeBase64(promise) } }),
    ...(proof === null
      ? {}
      : {
          inclusionProof: {
            logIndex: String(proof.logIndex),
            rootHash: encodeBase64(proof.rootHash),
            treeSize: String(proof.treeSize),
            hashes: proof.hashes.map(encodeBase64),
            checkpoint: { envelope: proof.checkpoint },
          },
        }),
    canonicalizedBody: encodeBase64(entry.canonicalizedBody),
  };
}
