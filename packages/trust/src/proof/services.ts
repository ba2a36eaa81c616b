import type { HashName } from '../bytes/hash.ts';
import type { Signer } from '../crypto/signer.ts';
import type { LogEntry } from '../logentries/entry.ts';

/** What is handed to a log: the digest of the signed message and the signature over it. */
export interface LoggedSignature {
  readonly hash: HashName;
  readonly digest: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * The services that stand as witnesses beside a signature. Each call resolves to what every asked
 * service gave, or throws the fault of the first that failed; calls may be retried.
 */
export interface SigningServices {
  /** RFC 3161 responses over the raw signature, one per timestamp authority. */
  timestamp(signature: Uint8Array): Promise<readonly Uint8Array[]>;
  /** One entry per log. */
  log(signed: LoggedSignature, signer: Signer): Promise<readonly LogEntry[]>;
}

/** No witnesses: a signature by a key alone. */
export const NO_SERVICES: SigningServices = {
  timestamp: () => Promise.resolve([]),
  log: () => Promise.resolve([]),
};
