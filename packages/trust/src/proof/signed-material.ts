import type { LogEntry } from '../logentries/entry.ts';
import type { EntryMaterial } from '../logentries/verify-entry.ts';
import type { Certificate } from '../x509/certificate.ts';

/** Who signed what, as a format's parser lays it out for the proof; nothing of it is trusted. */
export interface SignedMaterial {
  /** The raw signature: what timestamps are about. */
  readonly signature: Uint8Array;
  /** The signer's certificate; null when the material is a bare key. */
  readonly certificate: Certificate | null;
  readonly intermediates: readonly Certificate[];
  readonly timestamps: readonly Uint8Array[];
  readonly entries: readonly LogEntry[];
  /** Whether each entry must prove its inclusion (bundles from 0.2 on). */
  readonly requireProof: boolean;
  /** What a log entry must be about; asked for only when there is an entry to hold against it. */
  entryMaterial(): EntryMaterial;
}
