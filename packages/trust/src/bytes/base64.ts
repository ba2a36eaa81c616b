import { quote, TrustFault } from '../fault/fault.ts';

/** A search for what does not belong: matching the whole would overflow on texts of megabytes. */
const FOREIGN = /[^A-Za-z0-9+/]/;

/**
 * Bytes of standard padded base64 (RFC 4648 §4), strict: no white space, no URL alphabet, no
 * missing padding, no stray bits. Throws `bytes.base64`.
 */
export function decodeBase64(text: string, where = 'value'): Uint8Array {
  const bytes = Buffer.from(text, 'base64');
  // One value has one spelling: what is written back equal was standard, padded, without stray bits.
  if (bytes.toString('base64') === text) return bytes;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  if (text.length % 4 !== 0 || FOREIGN.test(text.slice(0, text.length - padding))) {
    throw new TrustFault('bytes.base64', `expected base64 at ${where}, found ${quote(text)}`);
  }
  // RFC 4648 §3.5: pad bits are zero.
  throw new TrustFault('bytes.base64', `base64 at ${where} has stray bits before its padding`);
}

/** Standard padded base64 of `bytes`. */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
