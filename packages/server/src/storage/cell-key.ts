/** Bytes of the keys that a listing is about: from `from`, up to and without `to`. */
export interface KeyRange {
  readonly from: Uint8Array;
  /** Null: no end. */
  readonly to: Uint8Array | null;
}

const SURROGATE = /[\ud800-\udfff]/;
const SLASH = 0x2f;

/**
 * A checked key as bytes whose order is that of the key's UTF-16 code units: UTF-8, but with each
 * half of a surrogate pair in three bytes of its own (CESU-8, Unicode TR 26). A database compares
 * text by its own rules, and PostgreSQL's takes no NUL; bytes it compares as they are.
 */
export function bytesOfKey(key: string): Uint8Array {
  if (!SURROGATE.test(key)) return Buffer.from(key);
  const bytes: number[] = [];
  for (let at = 0; at < key.length; at++) {
    const unit = key.charCodeAt(at);
    if (SURROGATE.test(key.charAt(at))) {
      bytes.push(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f));
    } else {
      bytes.push(...Buffer.from(key.charAt(at)));
    }
  }
  return Uint8Array.from(bytes);
}

/** The key of bytes that `bytesOfKey` made. */
export function keyOfBytes(bytes: Uint8Array): string {
  let key = '';
  let start = 0;
  const plain = (end: number) => Buffer.from(bytes.subarray(start, end)).toString();
  for (let at = 0; at < bytes.length; at++) {
    // Only the halves of a pair have 0xED followed by 0xA0 or more.
    const second = bytes[at + 1] ?? 0;
    if (bytes[at] !== 0xed || second < 0xa0) continue;
    const unit = 0xd000 | ((second & 0x3f) << 6) | ((bytes[at + 2] ?? 0) & 0x3f);
    key += plain(at) + String.fromCharCode(unit);
    start = at + 3;
  }
  return key + plain(bytes.length);
}

/** The keys below a checked prefix (empty, or ending in `/`). */
export function rangeOfPrefix(prefix: string): KeyRange {
  const from = bytesOfKey(prefix);
  if (prefix === '') return { from, to: null };
  const to = Uint8Array.from(from);
  to[to.length - 1] = SLASH + 1;
  return { from, to };
}
