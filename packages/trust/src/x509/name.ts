import {
  DER,
  type DerValue,
  derChildren,
  derSequence,
  derSet,
  derText,
  readDer,
} from '../bytes/der.ts';
import { encodeHex } from '../bytes/hex.ts';
import { TrustFault } from '../fault/fault.ts';
import { OID, readOid } from './object-identifiers.ts';

/** One attribute of a distinguished name: `text` is null where the value is not plain text. */
export interface NameAttribute {
  readonly oid: string;
  readonly text: string | null;
  /** DER of the value. */
  readonly raw: Uint8Array;
}

/** A distinguished name as it stands in the certificate: RDNs in order, most general first. */
export type DistinguishedName = readonly (readonly NameAttribute[])[];

const TEXT_TAGS: readonly number[] = [DER.utf8String, DER.printableString, DER.ia5String, 0x14];

/** The attributes of a Name (RFC 5280 §4.1.2.4). Throws `der.malformed`, `x509.malformed`. */
export function parseName(raw: Uint8Array, where: string): DistinguishedName {
  return derSequence(readDer(raw, where), where).map((rdn) => {
    const attributes = derSet(rdn, where);
    if (attributes.length === 0) {
      throw new TrustFault('x509.malformed', `the name at ${where} has an empty part`);
    }
    return attributes.map((attribute) => parseAttribute(attribute, where));
  });
}

function parseAttribute(attribute: DerValue, where: string): NameAttribute {
  const [type, value, ...rest] = derSequence(attribute, where);
  const oid = readOid(type, where);
  if (value === undefined || rest.length > 0) {
    throw new TrustFault(
      'x509.malformed',
      `the name at ${where} has an attribute without one value`,
    );
  }
  // Constructed values must nest properly too: they are printed as they are.
  if ((value.tag & 0x20) !== 0) derChildren(value, where);
  const text = TEXT_TAGS.includes(value.tag) ? derText(value, where) : null;
  return { oid, text, raw: value.raw };
}

// RFC 4514 §3: the only types that have a short name.
const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  [OID.commonName, 'CN'],
  [OID.localityName, 'L'],
  [OID.stateOrProvinceName, 'ST'],
  [OID.organizationName, 'O'],
  [OID.organizationalUnitName, 'OU'],
  [OID.countryName, 'C'],
  [OID.streetAddress, 'STREET'],
  [OID.domainComponent, 'DC'],
  [OID.userId, 'UID'],
]);

/** The name as RFC 4514 writes it: most specific part first, `CN=app,O=Acme`. */
export function formatName(name: DistinguishedName): string {
  return name
    .toReversed()
    .map((rdn) => rdn.map(formatAttribute).join('+'))
    .join(',');
}

function formatAttribute({ oid, text, raw }: NameAttribute): string {
  const short = SHORT_NAMES.get(oid);
  // RFC 4514 §2.4: a type without a short name, or a value without a string form, is its DER.
  if (short === undefined || text === null) return `${short ?? oid}=#${encodeHex(raw)}`;
  return `${short}=${escapeText(text)}`;
}

/** RFC 4514 §2.4: in one pass, so that nothing is escaped twice. */
function escapeText(text: string): string {
  return text.replace(/^[ #]| $|["+,;<>\\]/g, '\\$&').replaceAll('\0', '\\00');
}
