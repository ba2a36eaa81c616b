import { quote, TrustFault } from '../fault/fault.ts';

/** Bytes of lower- or upper-case hexadecimal. Throws `bytes.hex`. */
export function decodeHex(text: string, where = 'value'): Uint8Array {
  if (text.length % 2 !== 0 || /[^0-9a-fA-F]/.test(text)) {
    throw new TrustFault('bytes.hex', `expected hexadecimal at ${where}, found ${quote(text)}`);
  }
  return Buffer.from(text, 'hex');
}

/** Lower-case hexadecimal of `bytes`. */
export function encodeHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
