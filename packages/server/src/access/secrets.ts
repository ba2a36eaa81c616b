import { hash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const PREFIX = 'bulla_';
const TOKEN = /^bulla_[A-Za-z0-9_-]{49}$/;
const PLAIN = /^[A-Za-z0-9_-]{43}$/;

/** A new API token: `bulla_`, 32 random bytes and a checksum, so that scanners of leaks find it. */
export function newTokenSecret(): string {
  const body = newPlainSecret();
  return `${PREFIX}${body}${checksum(body)}`;
}

/** Whether `text` has the form and the checksum of an API token; nothing is looked up for others. */
export function isTokenSecret(text: string): boolean {
  if (!TOKEN.test(text)) return false;
  const body = text.slice(PREFIX.length, -6);
  return checksum(body) === text.slice(-6);
}

/** Whether `text` means to be an API token, so that it is never tried as a password. */
export function looksLikeToken(text: string): boolean {
  return text.startsWith(PREFIX);
}

/** 32 random bytes in base64url: the value of a session's cookie, and of a sign-in link. */
export function newPlainSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** Whether `text` has the form of `newPlainSecret`. */
export function isPlainSecret(text: string): boolean {
  return PLAIN.test(text);
}

/**
 * What is kept of a secret: SHA-256, hex. That is enough for 256 random bits, which nobody guesses.
 * Rows are found by it, so no comparison of a secret can be timed.
 */
export function secretHash(secret: string): string {
  return hash('sha256', secret, 'hex');
}

// GitHub's tokens end in a CRC-32 as well: a scanner tells a real one from a look-alike offline.
function checksum(body: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return bytes.toString('base64url');
}

/** An id that sorts by time to the millisecond: what it names, 48 bits of time, 80 of chance. */
export function newId(kind: 'user' | 'token' | 'act', at: Date): string {
  const time = at.getTime().toString(16).padStart(12, '0');
  return `${kind}_${time}${randomBytes(10).toString('hex')}`;
}
