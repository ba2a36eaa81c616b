import { DER, derSequence, readDer } from '../bytes/der.ts';
import { parseJson } from '../bytes/json.ts';
import { decodePem, type PemBlock } from '../bytes/pem.ts';
import { parsePkcs1PublicKey, parseSpki } from '../crypto/public-key.ts';
import { parseDsseEnvelope } from '../envelopes/dsse.ts';
import { quote, TrustFault } from '../fault/fault.ts';
import { computeDigest } from '../oci/digest.ts';
import { explainCertificate, explainKey } from './certificate.ts';
import { type Explanation, explain } from './explanation.ts';
import { explainTimestamp } from './proofs.ts';
import { explainBundle, explainEnvelope, explainPayload, explainStatement } from './signature.ts';
import { explainTrustedRoot } from './trust-root.ts';

/** Largest file that is explained: a bundle of the largest attestation. */
export const MAX_INSPECTED_BYTES: number = 128 << 20;

/**
 * What a file is and says, told by its content: a bundle, a DSSE envelope, an in-toto statement, a
 * simple-signing payload, a trusted_root.json, keys and certificates (PEM or DER), an RFC 3161
 * timestamp. Private keys are named and not opened. Throws `inspect.unknown`, and the fault of its
 * kind for one that is malformed.
 */
export function explainFile(bytes: Uint8Array, name: string): Explanation {
  if (bytes[0] === DER.sequence) return explainDer(bytes, name);
  const head = Buffer.from(bytes.subarray(0, 4096)).toString('latin1');
  if (head.includes('-----BEGIN ')) return explainPem(bytes, name);
  if (/^\s*\{/.test(head)) return explainJson(bytes, name);
  throw unknown(name, 'neither JSON nor PEM nor DER');
}

/** Certificates, keys and timestamps differ in what their sequence begins with. */
function explainDer(bytes: Uint8Array, name: string): Explanation {
  const parts = derSequence(readDer(bytes, name), name);
  const [first] = parts[0]?.tag === DER.sequence ? derSequence(parts[0], name) : [];
  // RFC 5652: a ContentInfo begins with its type; RFC 3161: a response with its status.
  if (parts[0]?.tag === DER.oid) return explainTimestamp(bytes);
  if (first?.tag === DER.integer && parts.length <= 2) return explainTimestamp(bytes);
  if (first?.tag === DER.oid) return explainKey(parseSpki(bytes, name));
  if (parts.length === 3) return explainCertificate(bytes, name);
  throw unknown(name, 'DER of another kind');
}

function explainPem(bytes: Uint8Array, name: string): Explanation {
  const blocks = decodePem(Buffer.from(bytes).toString('latin1'), name);
  const parts = blocks.flatMap((block) => explainBlock(block, name));
  const [only, ...others] = parts;
  if (only === undefined) throw unknown(name, `PEM of ${quote(blocks[0]?.label ?? 'no kind')}`);
  return others.length === 0 ? only : explain('pem', { blocks: blocks.length }, parts);
}

function explainBlock({ label, bytes }: PemBlock, name: string): readonly Explanation[] {
  if (label === 'CERTIFICATE') return [explainCertificate(bytes, name)];
  if (label === 'PUBLIC KEY') return [explainKey(parseSpki(bytes, name))];
  if (label === 'RSA PUBLIC KEY') return [explainKey(parsePkcs1PublicKey(bytes, name))];
  if (!label.endsWith('PRIVATE KEY')) return [];
  const advice = '`bulla key inspect` opens it';
  return [explain('private-key', { label, advice })];
}

function explainJson(bytes: Uint8Array, name: string): Explanation {
  const limits = { maxBytes: MAX_INSPECTED_BYTES, maxDepth: 256 };
  const members = membersOf(parseJson(bytes, name, limits));
  const mediaType = members.get('mediaType') ?? members.get('media_type');
  if (typeof mediaType === 'string') {
    if (/sigstore\.trustedroot/.test(mediaType)) return explainTrustedRoot(bytes, name);
    if (/sigstore\.bundle/.test(mediaType)) return explainBundle(bytes, name);
  }
  if (members.has('verificationMaterial')) return explainBundle(bytes, name);
  if (members.has('payloadType')) return explainEnvelope(parseDsseEnvelope(bytes, name), bytes);
  if (members.has('critical')) return explainPayload(bytes, name);
  if (members.has('predicateType')) {
    const statement = explainStatement(bytes);
    return {
      ...statement,
      facts: { ...statement.facts, checksum: computeDigest(bytes), signed: 'no' },
    };
  }
  throw unknown(name, typeof mediaType === 'string' ? `JSON of ${quote(mediaType)}` : 'other JSON');
}

function membersOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}

function unknown(name: string, what: string): TrustFault {
  return new TrustFault('inspect.unknown', `${quote(name)} is ${what}`);
}
