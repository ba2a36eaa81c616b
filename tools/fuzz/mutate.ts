/** A deterministic source of numbers below `limit`, so that a seed gives the same run again. */
export type Chance = (limit: number) => number;

/** mulberry32, seeded with any 32-bit number. */
export function chanceFrom(seed: number): Chance {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

const LONGEST_BYTES = 256 * 1024;

// Bytes and words at which parsers of lengths, numbers, JSON, PEM, DER and references go wrong.
const TOKENS = [
  ...['00', 'ff', '7f', '80', '3080', '30848000', '0000000000000000', 'ffffffff', 'efbbbf'],
  ...['c080', 'eda080', '0d0a', '1f8b08'],
].map((hex) => Buffer.from(hex, 'hex'));
const WORDS = [
  ...['{', '}', '[', ']', '"', ':', ',', '\\', '\\u0000', '\\ud800', 'null', 'true', '{}', '[]'],
  ...['-0', '1e999', '0.1', '9007199254740993', '-1', '18446744073709551616', '""', '__proto__'],
  ...['-----BEGIN ', '-----END ', '-----', '=', '==', '+', '/', '..', '@', '//', '%00', '%2f'],
  ...['sha256:', ' ', '\n', '\t', '\u2028', 'constructor', 'toString'],
].map((word) => Buffer.from(word));

/** One to four small changes to `input`; `other` is another seed, from which parts are spliced. */
export function mutate(chance: Chance, input: Uint8Array, other: Uint8Array): Uint8Array {
  let bytes: Uint8Array = input;
  for (let left = 1 + chance(4); left > 0; left -= 1) bytes = change(chance, bytes, other);
  return bytes.subarray(0, LONGEST_BYTES);
}

function change(chance: Chance, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  const at = chance(bytes.length + 1);
  const end = Math.min(bytes.length, at + 1 + chance(chance(4) === 0 ? bytes.length + 1 : 8));
  switch (chance(9)) {
    case 0:
      return replaced(bytes, at, end, flipped(chance, bytes.subarray(at, at + 1)), at + 1);
    case 1:
      return replaced(bytes, at, end, Uint8Array.of(chance(256)), at + 1);
    case 2:
      return replaced(bytes, at, end, token(chance));
    case 3:
      return replaced(bytes, at, end, token(chance), at);
    case 4:
      return replaced(bytes, at, end, new Uint8Array());
    case 5:
      return replaced(bytes, at, end, bytes.subarray(at, end), at);
    case 6:
      return bytes.subarray(0, at);
    case 7:
      return replaced(bytes, at, end, piece(chance, other));
    default:
      return replaced(bytes, at, end, Buffer.concat(Array(1 + chance(64)).fill(token(chance))), at);
  }
}

/** `bytes` with the range from `at` to `to` (by default the whole range to `end`) replaced. */
function replaced(
  bytes: Uint8Array,
  at: number,
  end: number,
  by: Uint8Array,
  to: number = end,
): Uint8Array {
  return Buffer.concat([bytes.subarray(0, at), by, bytes.subarray(Math.min(to, bytes.length))]);
}

function flipped(chance: Chance, bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => byte ^ (1 << chance(8)));
}

function token(chance: Chance): Uint8Array {
  const from = chance(2) === 0 ? TOKENS : WORDS;
  return from[chance(from.length)] ?? new Uint8Array();
}

function piece(chance: Chance, bytes: Uint8Array): Uint8Array {
  const at = chance(bytes.length + 1);
  return bytes.subarray(at, at + chance(Math.min(256, bytes.length) + 1));
}
