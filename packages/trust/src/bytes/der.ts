import { quote, TrustFault } from '../fault/fault.ts';

/**
 * One DER value (X.690): `tag` is the identifier octet, `content` and `raw` are views into the
 * document that was read, so that signed parts stay the bytes that were received.
 */
export interface DerValue {
  readonly tag: number;
  readonly content: Uint8Array;
  /** Identifier, length and content. */
  readonly raw: Uint8Array;
}

/** Universal tags, with the constructed bit where DER demands it. */
export const DER = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

const MAX_CONTENT_BYTES = 1 << 24;
const MAX_CHILDREN = 100_000;

function malformed(where: string, what: string): TrustFault {
  return new TrustFault('der.malformed', `DER at ${where}: ${what}`);
}

function readAt(bytes: Uint8Array, at: number, where: string): DerValue {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) throw malformed(where, 'a value is cut');
  // No format that Bulla reads uses tag numbers above 30.
  if ((tag & 0x1f) === 0x1f) throw malformed(where, 'a tag number above 30');
  let length = first;
  let start = at + 2;
  if (first >= 0x80) {
    const count = first & 0x7f;
    // X.690 §10.1: the definite form, in the fewest octets.
    if (count === 0 || count > 4) throw malformed(where, 'an indefinite or oversized length');
    length = 0;
    for (let index = 0; index < count; index++) {
      const octet = bytes[start + index];
      if (octet === undefined) throw malformed(where, 'a length is cut');
      length = length * 256 + octet;
    }
    start += count;
    if (length < 0x80 || length < 256 ** (count - 1)) {
      throw malformed(where, 'a length that is not in its shortest form');
    }
  }
  if (length > MAX_CONTENT_BYTES) {
    throw new TrustFault('der.limit', `DER at ${where}: a value of ${length} bytes`);
  }
  const end = start + length;
  if (end > bytes.length) throw malformed(where, 'a value is longer than what holds it');
  return { tag, content: bytes.subarray(start, end), raw: bytes.subarray(at, end) };
}

/** The one value that `bytes` are. Throws `der.malformed` for trailing bytes too. */
export function readDer(bytes: Uint8Array, where: string): DerValue {
  const value = readAt(bytes, 0, where);
  if (value.raw.length !== bytes.length) throw malformed(where, 'bytes after the value');
  return value;
}

/** The values inside a constructed value (or inside an octet string that wraps some), in order. */
export function derChildren(value: DerValue, where: string): readonly DerValue[] {
  const children: DerValue[] = [];
  let at = 0;
  while (at < value.content.length) {
    const child = readAt(value.content, at, where);
    children.push(child);
    if (children.length > MAX_CHILDREN) {
      throw new TrustFault('der.limit', `DER at ${where}: over ${MAX_CHILDREN} values`);
    }
    at += child.raw.length;
  }
  return children;
}

/** `value` if its tag is `tag`. Throws `der.malformed`, also when the value is absent. */
export function expectTag(value: DerValue | undefined, tag: number, where: string): DerValue {
  if (value === undefined)
    throw malformed(where, `expected tag 0x${tag.toString(16)}, found nothing`);
  if (value.tag !== tag) {
    throw malformed(where, `expected tag 0x${tag.toString(16)}, found 0x${value.tag.toString(16)}`);
  }
  return value;
}

/** The children of a SEQUENCE. */
export function derSequence(value: DerValue | undefined, where: string): readonly DerValue[] {
  return derChildren(expectTag(value, DER.sequence, where), where);
}

/** The children of a SET. Their order is not checked: old issuers write sets unsorted. */
export function derSet(value: DerValue | undefined, where: string): readonly DerValue[] {
  return derChildren(expectTag(value, DER.set, where), where);
}

/** Dotted form of an OBJECT IDENTIFIER. */
export function derOid(value: DerValue | undefined, where: string): string {
  const { content } = expectTag(value, DER.oid, where);
  const [head, ...rest] = smallArcs(content) ?? largeArcs(content, where);
  if (head === undefined) throw malformed(where, 'an object identifier is cut');
  const root = head < 40 ? 0 : head < 80 ? 1 : 2;
  const second = typeof head === 'bigint' ? head - BigInt(root * 40) : head - root * 40;
  return [root, second, ...rest].join('.');
}

/** The arcs as numbers; null when one is large or something is wrong, which `largeArcs` tells. */
function smallArcs(content: Uint8Array): readonly (number | bigint)[] | null {
  const arcs: number[] = [];
  let arc = 0;
  let fresh = true;
  for (const octet of content) {
    if ((fresh && octet === 0x80) || arc > 0xff_ffff || arcs.length > 64) return null;
    arc = arc * 128 + (octet & 0x7f);
    fresh = octet < 0x80;
    if (fresh) {
      arcs.push(arc);
      arc = 0;
    }
  }
  return fresh ? arcs : null;
}

function largeArcs(content: Uint8Array, where: string): readonly (number | bigint)[] {
  const arcs: bigint[] = [];
  let arc = 0n;
  let fresh = true;
  for (const octet of content) {
    // X.690 §8.19.2: the leading octet of an arc is not 0x80.
    if (fresh && octet === 0x80) throw malformed(where, 'an object identifier with a padded arc');
    arc = arc * 128n + BigInt(octet & 0x7f);
    fresh = octet < 0x80;
    if (fresh) {
      arcs.push(arc);
      arc = 0n;
    }
    if (arcs.length > 128 || arc > 1n << 128n)
      throw malformed(where, 'an oversized object identifier');
  }
  if (!fresh) throw malformed(where, 'an object identifier is cut');
  return arcs;
}

/** The value of an INTEGER of any size. */
export function derInteger(value: DerValue | undefined, where: string): bigint {
  const { content } = expectTag(value, DER.integer, where);
  const first = content[0];
  if (first === undefined) throw malformed(where, 'an empty integer');
  const second = content[1];
  // X.690 §8.3.2: the first nine bits are neither all ones nor all zeros.
  if (
    second !== undefined &&
    ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))
  ) {
    throw malformed(where, 'an integer that is not in its shortest form');
  }
  const magnitude = BigInt(`0x${Buffer.from(content).toString('hex')}`);
  return first < 0x80 ? magnitude : magnitude - (1n << BigInt(content.length * 8));
}

/** The value of a BOOLEAN; only 0x00 and 0xff are DER. */
export function derBoolean(value: DerValue | undefined, where: string): boolean {
  const { content } = expectTag(value, DER.boolean, where);
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) {
    throw malformed(where, 'a boolean that is neither 0x00 nor 0xff');
  }
  return content[0] === 0xff;
}

/** Bytes of a BIT STRING without unused bits (keys and signatures). */
export function derBitString(value: DerValue | undefined, where: string): Uint8Array {
  const { content } = expectTag(value, DER.bitString, where);
  if (content[0] !== 0) throw malformed(where, 'a bit string with unused bits');
  return content.subarray(1);
}

/** Bytes of an OCTET STRING. */
export function derOctetString(value: DerValue | undefined, where: string): Uint8Array {
  return expectTag(value, DER.octetString, where).content;
}

const TEXT_TAGS: readonly number[] = [DER.utf8String, DER.printableString, DER.ia5String, 0x14];
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text of a UTF8String, PrintableString, IA5String or TeletexString. */
export function derText(value: DerValue | undefined, where: string): string {
  if (value === undefined || !TEXT_TAGS.includes(value.tag))
    throw malformed(where, 'expected text');
  try {
    return value.tag === 0x14
      ? Buffer.from(value.content).toString('latin1')
      : decoder.decode(value.content);
  } catch {
    throw malformed(where, 'text that is not UTF-8');
  }
}

const UTC_TIME = /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/;
const GENERALIZED_TIME = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\.\d{1,9})?Z$/;

/** The instant of a UTCTime or GeneralizedTime in UTC (RFC 5280 §4.1.2.5; fractions as RFC 3161). */
export function derTime(value: DerValue | undefined, where: string): Date {
  if (value === undefined) throw malformed(where, 'expected a time, found nothing');
  const text = Buffer.from(value.content).toString('latin1');
  const utc = value.tag === DER.utcTime;
  if (!utc && value.tag !== DER.generalizedTime) throw malformed(where, 'expected a time');
  const parts = (utc ? UTC_TIME : GENERALIZED_TIME).exec(text);
  if (parts === null) throw malformed(where, `a time that is not in UTC: ${quote(text)}`);
  const [, year = '', month, day, hour, minute, second, fraction = ''] = parts;
  // RFC 5280 §4.1.2.5.1: two-digit years from 50 on are of the last century.
  const full = utc ? `${Number(year) >= 50 ? '19' : '20'}${year}` : year;
  const date = new Date(`${full}-${month}-${day}T${hour}:${minute}:${second}${fraction}Z`);
  // Dates such as 31 February roll over or are NaN: both are refused.
  if (Number.isNaN(date.getTime()) || date.getUTCDate() !== Number(day)) {
    throw malformed(where, `a time that does not exist: ${quote(text)}`);
  }
  return date;
}
