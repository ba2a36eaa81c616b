import { DER, type DerValue, derChildren, derInteger, derOid, derSequence } from '../bytes/der.ts';
import type { HashName } from '../bytes/hash.ts';
import { ALGORITHMS, type SignatureAlgorithm } from '../crypto/algorithm.ts';
import { quote, TrustFault } from '../fault/fault.ts';

/** What may stand after an algorithm's object identifier. */
type Parameters = 'absent' | 'null-or-absent' | 'pss';

const SIGNATURES: Readonly<
  Record<string, { readonly parameters: Parameters; readonly algorithm: SignatureAlgorithm | null }>
> = {
  // RFC 5758 §3.2: ECDSA identifiers have no parameters.
  '1.2.840.10045.4.3.2': { parameters: 'absent', algorithm: ALGORITHMS['ecdsa-sha256'] },
  '1.2.840.10045.4.3.3': { parameters: 'absent', algorithm: ALGORITHMS['ecdsa-sha384'] },
  '1.2.840.10045.4.3.4': { parameters: 'absent', algorithm: ALGORITHMS['ecdsa-sha512'] },
  // RFC 4055 §5: parameters are NULL, and readers accept them absent.
  '1.2.840.113549.1.1.11': {
    parameters: 'null-or-absent',
    algorithm: ALGORITHMS['rsa-pkcs1v15-sha256'],
  },
  '1.2.840.113549.1.1.12': {
    parameters: 'null-or-absent',
    algorithm: ALGORITHMS['rsa-pkcs1v15-sha384'],
  },
  '1.2.840.113549.1.1.13': {
    parameters: 'null-or-absent',
    algorithm: ALGORITHMS['rsa-pkcs1v15-sha512'],
  },
  '1.2.840.113549.1.1.10': { parameters: 'pss', algorithm: null },
  // RFC 8410 §3.
  '1.3.101.112': { parameters: 'absent', algorithm: ALGORITHMS.ed25519 },
};

const DIGESTS: Readonly<Record<string, HashName>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

const DIGEST_BYTES: Readonly<Record<HashName, number>> = { sha256: 32, sha384: 48, sha512: 64 };

/** The object identifier of a digest that Bulla computes (RFC 5754 §2). */
export function digestOid(hash: HashName): string {
  const found = Object.entries(DIGESTS).find(([, name]) => name === hash);
  if (found === undefined) throw new TrustFault('internal.defect', `no identifier for ${hash}`);
  return found[0];
}

/** How many bytes a digest of `hash` has. */
export function digestBytes(hash: HashName): number {
  return DIGEST_BYTES[hash];
}

/** An AlgorithmIdentifier of a digest: `hash` is null for one that Bulla does not compute. */
export interface DigestIdentifier {
  readonly oid: string;
  readonly hash: HashName | null;
}

/** Reads a digest's AlgorithmIdentifier; its parameters are NULL or absent (RFC 5754 §2). */
export function parseDigestIdentifier(
  value: DerValue | undefined,
  where: string,
): DigestIdentifier {
  const [type, parameters, ...rest] = derSequence(value, where);
  const oid = derOid(type, where);
  if (rest.length > 0 || !isNullOrAbsent(parameters)) {
    throw malformed(where, 'a digest algorithm with parameters');
  }
  return { oid, hash: DIGESTS[oid] ?? null };
}

/**
 * The signature algorithm of an AlgorithmIdentifier. Throws `crypto.algorithm-unknown` for one that
 * is not in the table (so for every one with SHA-1 or MD5), `x509.malformed` for wrong parameters.
 */
export function parseSignatureIdentifier(
  value: DerValue | undefined,
  where: string,
): SignatureAlgorithm {
  const [type, parameters, ...rest] = derSequence(value, where);
  const oid = derOid(type, where);
  const row = SIGNATURES[oid];
  if (row === undefined) throw unknown(where, oid);
  if (rest.length > 0) throw malformed(where, 'values after the parameters of an algorithm');
  if (row.algorithm === null) return parsePss(parameters, where);
  const fits = row.parameters === 'absent' ? parameters === undefined : isNullOrAbsent(parameters);
  if (!fits) throw malformed(where, `parameters of the algorithm ${oid}`);
  return row.algorithm;
}

/** RFC 4055 §3.1: hash, mask generation with the same hash, and a salt as long as the digest. */
function parsePss(parameters: DerValue | undefined, where: string): SignatureAlgorithm {
  const [hashField, maskField, saltField, ...rest] = derSequence(parameters, where);
  // The defaults are SHA-1, so none of the three may be absent; the trailer has only its default.
  if (rest.length > 0) throw malformed(where, 'RSASSA-PSS parameters with another trailer');
  const { hash } = parseDigestIdentifier(unwrap(hashField, 0xa0, where), where);
  const [mask, maskHash] = derSequence(unwrap(maskField, 0xa1, where), where);
  const mgf = parseDigestIdentifier(maskHash, where).hash;
  const salt = derInteger(unwrap(saltField, 0xa2, where), where);
  if (hash === null || derOid(mask, where) !== '1.2.840.113549.1.1.8' || mgf !== hash) {
    throw unknown(where, 'RSASSA-PSS with another hash or mask');
  }
  if (salt !== BigInt(DIGEST_BYTES[hash])) {
    throw unknown(where, `RSASSA-PSS with a salt of ${salt} bytes`);
  }
  return ALGORITHMS[`rsa-pss-${hash}`];
}

function unwrap(value: DerValue | undefined, tag: number, where: string): DerValue {
  const inner = value?.tag === tag ? derChildren(value, where) : [];
  const only = inner.length === 1 ? inner[0] : undefined;
  if (only === undefined) throw malformed(where, 'RSASSA-PSS parameters that leave a default');
  return only;
}

function isNullOrAbsent(parameters: DerValue | undefined): boolean {
  if (parameters === undefined) return true;
  return parameters.tag === DER.null && parameters.content.length === 0;
}

function malformed(where: string, what: string): TrustFault {
  return new TrustFault('x509.malformed', `${where} has ${what}`);
}

function unknown(where: string, what: string): TrustFault {
  return new TrustFault(
    'crypto.algorithm-unknown',
    `the signature algorithm at ${where} is ${quote(what)}`,
  );
}
