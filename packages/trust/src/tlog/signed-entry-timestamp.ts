import { utf8 } from '../bytes/byte-string.ts';
import { encodeHex } from '../bytes/hex.ts';
import { canonicalizeJcs } from '../bytes/jcs.ts';
import { verifySignature } from '../crypto/verify-signature.ts';
import type { LogKey } from './log-key.ts';

/** A Rekor v1 log's promise to include an entry, and the time at which it made it. */
export interface EntryPromise {
  /** Standard base64 of the canonicalized body. */
  readonly body: string;
  /** Seconds since 1970. */
  readonly integratedTime: bigint;
  readonly logId: Uint8Array;
  /** The global index over all shards; an inclusion proof has the shard's own. */
  readonly logIndex: bigint;
  readonly signedEntryTimestamp: Uint8Array;
}

/**
 * Whether the log's key signed the promise: a signature over the canonical JSON (RFC 8785) of
 * exactly `body`, `integratedTime`, `logID` in hex and `logIndex` (rekor openapi.yaml,
 * SignedEntryTimestamp). False for numbers that canonical JSON cannot carry. Never throws.
 */
export async function verifySignedEntryTimestamp(
  options: EntryPromise & { readonly log: LogKey },
): Promise<boolean> {
  const { integratedTime, logIndex, log } = options;
  const exact = BigInt(Number.MAX_SAFE_INTEGER);
  if (integratedTime < 0n || integratedTime > exact || logIndex < 0n || logIndex > exact) {
    return false;
  }
  const payload = canonicalizeJcs({
    body: options.body,
    integratedTime: Number(integratedTime),
    logID: encodeHex(options.logId),
    logIndex: Number(logIndex),
  });
  return await verifySignature(log.key, log.algorithm, utf8(payload), options.signedEntryTimestamp);
}
