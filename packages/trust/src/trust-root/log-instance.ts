import { equalBytes } from '../bytes/byte-string.ts';
import { protoField } from '../bytes/protojson.ts';
import { asBase64, asString, type Cursor, optional } from '../bytes/shape.ts';
import type { PublicKey } from '../crypto/public-key.ts';
import { quote, TrustFault } from '../fault/fault.ts';
import type { LogKey } from '../tlog/log-key.ts';
import { noteKeyIds } from '../tlog/note.ts';
import { algorithmOf, keyOf } from './key-details.ts';
import { parsePeriod } from './validity-period.ts';

/**
 * A log of a trust root (TransparencyLogInstance). `origin` says how its checkpoints name it: a
 * transparency log by the host of its URL (as every Sigstore client derives it), a CT log by host
 * and path (static-ct-api). Throws the cursor's code, and `crypto.algorithm-unknown` or
 * `crypto.key-unsupported` for what Bulla has no algorithm for.
 */
export function parseLogInstance(at: Cursor, origin: 'host' | 'host-and-path'): LogKey {
  const baseUrl = asString(protoField(at, 'baseUrl'));
  const hash = optional(protoField(at, 'hashAlgorithm'), asString);
  if (hash !== 'SHA2_256') {
    throw new TrustFault(
      'crypto.algorithm-unknown',
      `the log ${quote(baseUrl)} has the tree hash ${quote(hash ?? 'none')}`,
    );
  }
  const publicKey = protoField(at, 'publicKey');
  const detailsAt = protoField(publicKey, 'keyDetails');
  const details = typeof detailsAt.value === 'string' ? detailsAt.value : 'unspecified';
  const algorithm = algorithmOf(details);
  if (algorithm === null) {
    throw new TrustFault(
      'crypto.algorithm-unknown',
      `the log ${quote(baseUrl)} has a key of kind ${quote(details)}`,
    );
  }
  const raw = asBase64(protoField(publicKey, 'rawBytes'));
  const key = keyOf(raw, details, algorithm, publicKey.path);
  const name = originOf(baseUrl, origin);
  return {
    baseUrl,
    origin: name,
    key,
    algorithm,
    logId: logIdOf(at, name, key),
    validFor: parsePeriod(protoField(publicKey, 'validFor')),
  };
}

/** sigstore_trustroot.proto base_url: SHOULD match the checkpoint's origin, MAY have no scheme. */
function originOf(baseUrl: string, origin: 'host' | 'host-and-path'): string {
  const url = /^https?:\/\//.test(baseUrl) ? URL.parse(baseUrl) : null;
  if (url === null) return baseUrl.replace(/\/+$/, '');
  if (origin === 'host') return url.hostname.replace(/^\[(.*)\]$/, '$1');
  return `${url.host}${url.pathname.replace(/\/+$/, '')}`;
}

/**
 * The id by which entries name the log. Without `log_id` it is the untruncated checkpoint key id,
 * of which `checkpoint_key_id` may be the first four bytes (sigstore_trustroot.proto).
 */
function logIdOf(at: Cursor, name: string, key: PublicKey): Uint8Array {
  const read = (field: string) =>
    optional(protoField(at, field), (id) => asBase64(protoField(id, 'keyId')));
  const logId = read('logId');
  if (logId !== undefined) return logId;
  const hint = read('checkpointKeyId');
  const found =
    hint === undefined || hint.length < 4
      ? undefined
      : noteKeyIds(name, key).find((id) => equalBytes(id.subarray(0, hint.length), hint));
  if (found === undefined) {
    throw new TrustFault(at.code, `the log at ${at.path} has no id that its key and origin give`);
  }
  return found;
}
