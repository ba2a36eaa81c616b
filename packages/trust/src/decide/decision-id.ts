import { TrustFault } from '../fault/fault.ts';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const RANDOM_BYTES = 10;
const TIME_CHARACTERS = 10;
const MAX_TIME = 2 ** 48 - 1;

/**
 * A decision's id: a ULID, 48 bits of milliseconds and 80 of chance in 26 characters of Crockford's
 * base 32, so that ids sort by their time. `random` holds 10 bytes. Throws `usage.invalid` for another
 * number of them, and for a time before 1970 or after 10889.
 */
export function newDecisionId(at: Date, random: Uint8Array): string {
  const time = at.getTime();
  if (!(time >= 0 && time <= MAX_TIME) || random.length !== RANDOM_BYTES) {
    throw new TrustFault(
      'usage.invalid',
      `expected a time since 1970 and ${RANDOM_BYTES} random bytes, found ${time} and ${random.length}`,
    );
  }
  return `${digitsOf(BigInt(time), TIME_CHARACTERS)}${digitsOf(numberOf(random), 16)}`;
}

function numberOf(bytes: Uint8Array): bigint {
  return bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
}

/** The lowest bits of a number, five to a character. */
function digitsOf(number: bigint, characters: number): string {
  const places = Array.from({ length: characters }, (_, at) => BigInt(characters - 1 - at) * 5n);
  return places.map((shift) => ALPHABET[Number((number >> shift) & 31n)]).join('');
}
