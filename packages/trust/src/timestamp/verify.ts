import { equalBytes } from '../bytes/byte-string.ts';
import { derOctetString, derOid } from '../bytes/der.ts';
import { digestOf } from '../bytes/hash.ts';
import { verifySignature } from '../crypto/verify-signature.ts';
import { printable } from '../fault/fault.ts';
import { allOf } from '../finding/combine.ts';
import { type Finding, failed, failedBy, passed } from '../finding/finding.ts';
import type { CertificateAuthority } from '../x509/authority.ts';
import type { Certificate } from '../x509/certificate.ts';
import { verifyChain } from '../x509/chain.ts';
import { findSigner, type SignerSearch } from './signer.ts';
import { refersTo, signingCertificates } from './signing-certificate.ts';
import { parseTimestamp, type Timestamp, TST_INFO } from './token.ts';

/** What `verifyTimestamp` is asked. */
export interface TimestampOptions {
  /** A TimeStampResp or a bare token, in DER. */
  readonly timestamp: Uint8Array;
  /** The raw bytes that were stamped: a signature, not its base64. */
  readonly signature: Uint8Array;
  readonly authorities: readonly CertificateAuthority[];
}

/** `time` is the instant that the authority attests; null unless the finding passes. */
export interface TimestampAnswer {
  readonly finding: Finding;
  readonly time: Date | null;
}

const CONTENT_TYPE = '1.2.840.113549.1.9.3';
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';

/**
 * Whether a trusted authority attests that `signature` existed at a time. All checks that can be
 * computed are shown: `timestamp.imprint`, `timestamp.content`, `timestamp.signing-certificate`,
 * `timestamp.signature`, `timestamp.chain` (the chain at the timestamp's own time, RFC 3161 §2.3).
 * Fails with the code of the first that failed; never throws for what the timestamp holds.
 */
export async function verifyTimestamp(options: TimestampOptions): Promise<TimestampAnswer> {
  let timestamp: Timestamp;
  let search: SignerSearch;
  try {
    timestamp = parseTimestamp(options.timestamp);
    search = findSigner(timestamp.signedData, options.authorities);
  } catch (error) {
    return { finding: failedBy('timestamp', error, 'RFC 3161 §2.4.2'), time: null };
  }
  const instant = timestamp.genTime.toISOString();
  const children = [
    checkImprint(timestamp, options.signature),
    checkContent(timestamp),
    ...(await checkSigner(timestamp, search, options.authorities)),
  ];
  const holds = children.every((child) => child.outcome === 'pass');
  const says = holds ? `stamped at ${instant}` : `a timestamp of ${instant} that does not hold`;
  const finding = allOf('timestamp', children, says, { source: 'RFC 3161 §2.4.2' });
  return { finding, time: finding.outcome === 'pass' ? timestamp.genTime : null };
}

function checkImprint({ imprint }: Timestamp, signature: Uint8Array): Finding {
  const check = 'timestamp.imprint';
  const source = 'RFC 3161 §2.4.2';
  if (imprint.hash === null) {
    const says = `the timestamp is over a digest of algorithm ${imprint.oid}`;
    return failed(check, 'timestamp.digest-refused', says, source);
  }
  if (!equalBytes(digestOf(imprint.hash, signature), imprint.digest)) {
    const says = `the timestamp is over another ${imprint.hash} than the signature’s`;
    return failed(check, 'timestamp.imprint-mismatch', says, source);
  }
  return passed(check, `the timestamp is over the signature’s ${imprint.hash}`, source);
}

/** The signed attributes are about this content (RFC 5652 §5.6, §11.1, §11.2). */
function checkContent({ signedData: { content, signer } }: Timestamp): Finding {
  const check = 'timestamp.content';
  const source = 'RFC 5652 §5.6';
  try {
    const [type, ...types] = signer.attributes.get(CONTENT_TYPE) ?? [];
    const [digest, ...digests] = signer.attributes.get(MESSAGE_DIGEST) ?? [];
    const isBound =
      types.length + digests.length === 0 &&
      derOid(type, 'content-type attribute') === TST_INFO &&
      equalBytes(
        derOctetString(digest, 'message-digest attribute'),
        digestOf(signer.digest, content),
      );
    if (isBound) return passed(check, 'the signed attributes are about this content', source);
  } catch (error) {
    return failedBy(check, error, source);
  }
  const says = 'the signed attributes are about another content';
  return failed(check, 'timestamp.content-mismatch', says, source);
}

async function checkSigner(
  timestamp: Timestamp,
  { signer, others }: SignerSearch,
  authorities: readonly CertificateAuthority[],
): Promise<readonly Finding[]> {
  if (signer === null) {
    const says = 'neither the timestamp nor the trust root holds the certificate of its signer';
    return [failed('timestamp.chain', 'timestamp.untrusted', says, 'RFC 3161 §2.4.2')];
  }
  return [
    checkReference(timestamp, signer),
    await checkSignature(timestamp, signer),
    await checkChain(timestamp, signer, others, authorities),
  ];
}

function checkReference({ signedData }: Timestamp, signer: Certificate): Finding {
  const check = 'timestamp.signing-certificate';
  const source = 'RFC 5816 §2.2.1';
  try {
    if (signingCertificates(signedData.signer).every((one) => refersTo(one, signer))) {
      return passed(check, 'the signed attributes name the signer’s certificate', source);
    }
  } catch (error) {
    return failedBy(check, error, source);
  }
  const says = 'the signed attributes name another certificate than the signer’s';
  return failed(check, 'timestamp.certificate-mismatch', says, source);
}

async function checkSignature({ signedData }: Timestamp, signer: Certificate): Promise<Finding> {
  const check = 'timestamp.signature';
  const source = 'RFC 5652 §5.4';
  const { algorithm, signedBytes, signature } = signedData.signer;
  const name = printable(signer.subjectText) || `serial ${signer.serial.toString(16)}`;
  if (await verifySignature(signer.publicKey, algorithm, signedBytes, signature)) {
    return passed(check, `signed by ${name} (${algorithm.name})`, source);
  }
  const says = `not signed by ${name} (${algorithm.name})`;
  return failed(check, 'timestamp.signature-invalid', says, source);
}

async function checkChain(
  { genTime }: Timestamp,
  leaf: Certificate,
  intermediates: readonly Certificate[],
  authorities: readonly CertificateAuthority[],
): Promise<Finding> {
  const { finding } = await verifyChain({
    leaf,
    intermediates,
    authorities,
    at: genTime,
    usage: 'timeStamping',
  });
  const options = finding.code === 'x509.untrusted' ? { code: 'timestamp.untrusted' as const } : {};
  return allOf('timestamp.chain', [finding], finding.says, { source: 'RFC 3161 §2.3', ...options });
}
