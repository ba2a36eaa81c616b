import { utf8 } from '@bulla/trust/bytes/byte-string';
import { digestOfParts } from '@bulla/trust/bytes/hash';
import { decodeHex, encodeHex } from '@bulla/trust/bytes/hex';

/** The hash that stands before the first entry. */
export const GENESIS = '0'.repeat(64);

/** Where a chain ends: the number and the hash (hex) of its last entry. */
export interface ChainEnd {
  readonly seq: number;
  readonly hash: string;
}

// No other hash of Bulla begins so: an entry's hash can be taken for nothing else.
const DOMAIN = utf8('bulla.dev/record/v1/entry\n');

/**
 * The hash of entry `seq` after the one whose hash is `previous`: SHA-256 over the domain, the 32
 * bytes of `previous`, `seq` as 8 bytes big-endian, and the body's UTF-8. Hex in, hex out.
 */
export function entryHash(previous: string, seq: number, body: string): string {
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(seq));
  return encodeHex(digestOfParts('sha256', DOMAIN, decodeHex(previous), number, utf8(body)));
}

/** Whether `text` is a hash as the chain writes it. */
export function isChainHash(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}
