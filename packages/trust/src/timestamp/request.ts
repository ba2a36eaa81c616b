import { equalBytes } from '../bytes/byte-string.ts';
import {
  writeBoolean,
  writeInteger,
  writeNull,
  writeOctetString,
  writeOid,
  writeSequence,
} from '../bytes/der-writer.ts';
import type { HashName } from '../bytes/hash.ts';
import { TrustFault } from '../fault/fault.ts';
import { digestBytes, digestOid } from '../x509/algorithm-identifier.ts';
import { parseTimestamp, type Timestamp } from './token.ts';

/** A request for a timestamp (RFC 3161 §2.4.1). */
export interface TimestampRequest {
  readonly hash: HashName;
  /** Digest of the bytes that are to be stamped. */
  readonly digest: Uint8Array;
  /** A random number that the response must carry; null for none. */
  readonly nonce: bigint | null;
  /** Whether the response carries the authority's certificate. */
  readonly certReq: boolean;
  /** Object identifier of the policy that is asked for; absent: the authority's own. */
  readonly policy?: string;
}

/** TimeStampReq in DER. Throws `usage.invalid` for a digest of wrong length or a negative nonce. */
export function buildTimestampRequest(request: TimestampRequest): Uint8Array {
  const { hash, digest, nonce, certReq, policy } = request;
  if (digest.length !== digestBytes(hash) || (nonce !== null && nonce < 0n)) {
    throw new TrustFault('usage.invalid', `expected a ${hash} digest and a nonce of 0 or above`);
  }
  const imprint = writeSequence(
    writeSequence(writeOid(digestOid(hash)), writeNull()),
    writeOctetString(digest),
  );
  return writeSequence(
    writeInteger(1),
    imprint,
    ...(policy === undefined ? [] : [writeOid(policy)]),
    ...(nonce === null ? [] : [writeInteger(nonce)]),
    // X.690 §11.5: the default, false, is left out.
    ...(certReq ? [writeBoolean(true)] : []),
  );
}

/**
 * The timestamp in a response, when it answers `request`: granted, with its nonce, digest, policy
 * and certificates as asked. It is not verified: that is `verifyTimestamp`. Throws
 * `timestamp.refused`, `timestamp.nonce-mismatch`, `timestamp.imprint-mismatch`,
 * `timestamp.malformed` and what `parseTimestamp` throws.
 */
export function checkTimestampResponse(options: {
  readonly response: Uint8Array;
  readonly request: TimestampRequest;
}): Timestamp {
  const { request } = options;
  const timestamp = parseTimestamp(options.response);
  const { imprint, nonce, policy, signedData } = timestamp;
  if (imprint.hash !== request.hash || !equalBytes(imprint.digest, request.digest)) {
    throw new TrustFault('timestamp.imprint-mismatch', 'the response is over another digest');
  }
  // RFC 3161 §2.4.2: the nonce of the request, and none where none was sent.
  if (nonce !== request.nonce) {
    throw new TrustFault(
      'timestamp.nonce-mismatch',
      `expected the nonce ${request.nonce ?? 'none'}, found ${nonce ?? 'none'}`,
    );
  }
  if (request.policy !== undefined && policy !== request.policy) {
    throw new TrustFault(
      'timestamp.malformed',
      `expected the policy ${request.policy}, found ${policy}`,
    );
  }
  if (request.certReq && signedData.certificates.length === 0) {
    throw new TrustFault('timestamp.malformed', 'the response lacks the certificate asked for');
  }
  return timestamp;
}
