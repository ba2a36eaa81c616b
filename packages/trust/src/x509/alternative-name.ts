import { DER, type DerValue, derChildren, derText } from '../bytes/der.ts';
import { encodeHex } from '../bytes/hex.ts';
import { TrustFault } from '../fault/fault.ts';
import { readOid } from './object-identifiers.ts';

/** One name of a certificate's subject alternative names (RFC 5280 §4.2.1.6). */
export interface AlternativeName {
  readonly kind: 'email' | 'uri' | 'dns' | 'ip' | 'other-name';
  /** The text; of an other-name that is no UTF8String, `#` and the hex of its DER. */
  readonly value: string;
  /** The type of an other-name. */
  readonly oid?: string;
}

/**
 * The name of a GeneralName, or null for a kind that identifies no signer (X.400, EDI, directory
 * names, registered ids). Throws `x509.malformed`.
 */
export function parseGeneralName(value: DerValue, where: string): AlternativeName | null {
  switch (value.tag) {
    case 0xa0:
      return parseOtherName(value, where);
    case 0x81:
      return { kind: 'email', value: ia5(value, where) };
    case 0x82:
      return { kind: 'dns', value: ia5(value, where) };
    case 0x86:
      return { kind: 'uri', value: ia5(value, where) };
    case 0x87:
      return { kind: 'ip', value: address(value.content, where) };
    case 0xa3:
    case 0xa4:
    case 0xa5:
    case 0x88:
      return null;
    default:
      throw malformed(where, `a name of tag 0x${value.tag.toString(16)}`);
  }
}

function parseOtherName(value: DerValue, where: string): AlternativeName {
  const [type, wrapped, ...rest] = derChildren(value, where);
  const oid = readOid(type, where);
  const inner = wrapped?.tag === 0xa0 ? derChildren(wrapped, where) : [];
  const [content] = inner;
  if (content === undefined || inner.length !== 1 || rest.length > 0) {
    throw malformed(where, 'an other-name without one value');
  }
  const text =
    content.tag === DER.utf8String
      ? plain(derText(content, where), where)
      : `#${encodeHex(content.raw)}`;
  return { kind: 'other-name', value: text, oid };
}

function ia5(value: DerValue, where: string): string {
  let text = '';
  for (const octet of value.content) {
    // IA5String is ASCII. A control character lets one name look like another.
    if (octet < 0x20 || octet >= 0x7f)
      throw malformed(where, 'a name with a character not allowed');
    text += String.fromCharCode(octet);
  }
  if (text === '') throw malformed(where, 'an empty name');
  return text;
}

function plain(text: string, where: string): string {
  if (text === '' || /\p{Cc}/u.test(text))
    throw malformed(where, 'an empty name or a control in it');
  return text;
}

function address(octets: Uint8Array, where: string): string {
  if (octets.length === 4) return octets.join('.');
  if (octets.length !== 16) throw malformed(where, `an address of ${octets.length} bytes`);
  const groups = (encodeHex(octets).match(/.{4}/g) ?? []).map((group) =>
    group.replace(/^0{1,3}/, ''),
  );
  return compress(groups);
}

/** RFC 5952 §4.2: the first longest run of two or more zero groups is `::`. */
function compress(groups: readonly string[]): string {
  let best = { from: 0, length: 0 };
  for (let from = 0; from < groups.length; from++) {
    let to = from;
    while (groups[to] === '0') to++;
    if (to - from > best.length) best = { from, length: to - from };
  }
  if (best.length < 2) return groups.join(':');
  const head = groups.slice(0, best.from).join(':');
  return `${head}::${groups.slice(best.from + best.length).join(':')}`;
}

function malformed(where: string, what: string): TrustFault {
  return new TrustFault('x509.malformed', `the alternative names of ${where} hold ${what}`);
}
