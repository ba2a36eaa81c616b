import { createHash } from 'node:crypto';
import { writeOctetString } from '@bulla/trust/bytes/der-writer';
import { type TestKey, testKey } from '../tlog/synthetic-log.ts';
import { writeExtension } from '../x509/synthetic-certificate.ts';

/** A certificate-transparency log that promises to log whatever it is shown. */
export interface CtLab {
  readonly key: TestKey;
  readonly logId: Uint8Array;
  /** The SCT list extension for a precertificate; `extensions` are the SCT's own. */
  promise(precert: Precert): Uint8Array;
}

/** What is submitted: the TBS without SCTs, and the issuer's SubjectPublicKeyInfo. */
export interface Precert {
  readonly tbs: Uint8Array;
  readonly issuerSpki: Uint8Array;
  readonly at: Date;
  readonly extensions?: Uint8Array;
}

/** A static-CT leaf_index extension (static-ct-api, "SCT Extension"). */
export const LEAF_INDEX: Uint8Array = Uint8Array.of(0, 0, 5, 0, 0, 0, 0, 42);

const SCT_LIST = '1.3.6.1.4.1.11129.2.4.2';

/** A number of `length` octets, big-endian. */
function uint(value: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUIntBE(value, 0, length);
  return bytes;
}

/** A CT log with a key of its own (RFC 6962 §3.2). */
export function openCtLog(): CtLab {
  const key = testKey('ecdsa-p256');
  const logId = createHash('sha256').update(key.publicKey.spki).digest();
  return {
    key,
    logId,
    promise({ tbs, issuerSpki, at, extensions = LEAF_INDEX }) {
      const time = uint(at.getTime(), 6);
      const body = Buffer.concat([Buffer.alloc(2), time]);
      const own = Buffer.concat([uint(extensions.length, 2), extensions]);
      const entry = Buffer.concat([
        createHash('sha256').update(issuerSpki).digest(),
        uint(tbs.length, 3),
        tbs,
      ]);
      const signature = key.sign(Buffer.concat([uint(0, 2), body, uint(1, 2), entry, own]));
      const sct = Buffer.concat([
        uint(0, 1),
        logId,
        body,
        own,
        uint(0x0403, 2),
        uint(signature.length, 2),
        signature,
      ]);
      const list = Buffer.concat([uint(sct.length + 2, 2), uint(sct.length, 2), sct]);
      return writeExtension(SCT_LIST, writeOctetString(list));
    },
  };
}
