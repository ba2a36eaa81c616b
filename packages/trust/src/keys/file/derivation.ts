import { type DerValue, derInteger, derOid, derSequence, readDer } from '../../bytes/der.ts';
import { quote, TrustFault } from '../../fault/fault.ts';

const PBES2 = '1.2.840.113549.1.5.13';
const PBKDF2 = '1.2.840.113549.1.5.12';
const SCRYPT = '1.3.6.1.4.1.11591.4.11';

/** AES-CBC of 128, 192 and 256 bits, and triple DES, which OpenSSL 1.0 wrote. */
const CIPHERS: readonly string[] = [
  '2.16.840.1.101.3.4.1.2',
  '2.16.840.1.101.3.4.1.22',
  '2.16.840.1.101.3.4.1.42',
  '1.2.840.113549.3.7',
];

/** HMAC with SHA-1 (also when absent, RFC 8018 §A.2), SHA-224, -256, -384 and -512. */
const PSEUDORANDOM: readonly string[] = [7, 8, 9, 10, 11].map((arc) => `1.2.840.113549.2.${arc}`);

const MAX_ITERATIONS = 2_000_000n;
/** OpenSSL's own bound for scrypt in PKCS#8; beyond it OpenSSL cannot read what it wrote. */
const MAX_SCRYPT_BYTES = 32n << 20n;
const MAX_SCRYPT_WORK = 1n << 22n;

/**
 * Throws unless an EncryptedPrivateKeyInfo (RFC 5958 §3) in DER derives its key at an honest cost,
 * before anything is derived: `key.derivation-refused` for PBKDF2 above 2,000,000 rounds or scrypt
 * above 32 MiB, `key.encryption-unsupported` for what is not PBES2 (RFC 8018 §6.2) with PBKDF2 or
 * scrypt and AES-CBC or triple DES, `crypto.key-malformed` for other bytes.
 */
export function checkDerivation(der: Uint8Array, where: string): void {
  try {
    checkEncryption(der, where);
  } catch (cause) {
    if (!(cause instanceof TrustFault) || !cause.code.startsWith('der.')) throw cause;
    throw new TrustFault(
      'crypto.key-malformed',
      `expected an encrypted PKCS#8 key at ${where}: ${cause.message}`,
      undefined,
      { cause },
    );
  }
}

function checkEncryption(der: Uint8Array, where: string): void {
  const [algorithm] = derSequence(readDer(der, where), where);
  const [scheme, parameters] = derSequence(algorithm, where);
  requireOneOf(derOid(scheme, where), [PBES2], where);
  const [derivation, encryption] = derSequence(parameters, where);
  requireOneOf(derOid(derSequence(encryption, where)[0], where), CIPHERS, where);
  const [name, values] = derSequence(derivation, where);
  const oid = derOid(name, where);
  requireOneOf(oid, [PBKDF2, SCRYPT], where);
  if (oid === PBKDF2) checkPbkdf2(derSequence(values, where), where);
  else checkScrypt(derSequence(values, where), where);
}

/** RFC 8018 §A.2: salt, iterationCount, keyLength OPTIONAL, prf DEFAULT hmacWithSHA1. */
function checkPbkdf2(values: readonly DerValue[], where: string): void {
  const iterations = derInteger(values[1], where);
  if (iterations < 1n || iterations > MAX_ITERATIONS) {
    throw refused(`PBKDF2 with 1 to ${MAX_ITERATIONS} rounds`, `${iterations}`, where);
  }
  const prf = values.slice(2).find((value) => value.tag === 0x30);
  if (prf === undefined) return;
  requireOneOf(derOid(derSequence(prf, where)[0], where), PSEUDORANDOM, where);
}

/** RFC 7914 §7: salt, costParameter, blockSize, parallelizationParameter, keyLength OPTIONAL. */
function checkScrypt(values: readonly DerValue[], where: string): void {
  const cost = derInteger(values[1], where);
  const blockSize = derInteger(values[2], where);
  const parallel = derInteger(values[3], where);
  const positive = cost > 1n && blockSize > 0n && parallel > 0n;
  const memory = 128n * blockSize * (cost + parallel + 2n);
  const work = cost * blockSize * parallel;
  if (
    !positive ||
    (cost & (cost - 1n)) !== 0n ||
    memory > MAX_SCRYPT_BYTES ||
    work > MAX_SCRYPT_WORK
  ) {
    const found = `N ${cost}, r ${blockSize} and p ${parallel}`;
    throw refused('scrypt within 32 MiB', found, where);
  }
}

function refused(expected: string, found: string, where: string): TrustFault {
  const message = `expected ${expected} at ${where}, found ${quote(found)}`;
  return new TrustFault('key.derivation-refused', message);
}

function requireOneOf(oid: string, known: readonly string[], where: string): void {
  if (known.includes(oid)) return;
  throw new TrustFault(
    'key.encryption-unsupported',
    `expected PBES2 with PBKDF2 or scrypt and AES-CBC at ${where}, found ${quote(oid)}`,
  );
}
