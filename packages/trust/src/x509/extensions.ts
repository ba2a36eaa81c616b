import {
  DER,
  type DerValue,
  derBoolean,
  derChildren,
  derInteger,
  derOctetString,
  derSequence,
  expectTag,
  readDer,
} from '../bytes/der.ts';
import { TrustFault } from '../fault/fault.ts';
import { type AlternativeName, parseGeneralName } from './alternative-name.ts';
import { OID, readOid } from './object-identifiers.ts';

/** One extension: whether it is critical, and the DER inside its OCTET STRING. */
export interface Extension {
  readonly critical: boolean;
  readonly value: Uint8Array;
}

/** RFC 5280 §4.2.1.3, bit 0 first. */
export const KEY_USAGES = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;

/** What a key may be used for. */
export type KeyUsage = (typeof KEY_USAGES)[number];

/** What the standard extensions of a certificate say. */
export interface StandardExtensions {
  readonly isCa: boolean;
  readonly pathLength: number | null;
  /** Null when the extension is absent. */
  readonly keyUsage: ReadonlySet<KeyUsage> | null;
  /** Object identifiers; null when the extension is absent. */
  readonly extendedKeyUsage: readonly string[] | null;
  readonly subjectKeyId: Uint8Array | null;
  readonly authorityKeyId: Uint8Array | null;
  readonly alternativeNames: readonly AlternativeName[];
}

/** Extensions by object identifier. Throws `x509.malformed`, also for one that stands twice. */
export function parseExtensions(list: DerValue, where: string): ReadonlyMap<string, Extension> {
  const extensions = new Map<string, Extension>();
  for (const child of derSequence(list, where)) {
    const parts = derSequence(child, where);
    const oid = readOid(parts[0], where);
    const critical = parts.length === 3 && derBoolean(parts[1], where);
    if (parts.length < 2 || parts.length > 3) throw malformed(where, `extension ${oid}`);
    // RFC 5280 §4.2: no more than one instance of an extension.
    if (extensions.has(oid)) throw malformed(where, `extension ${oid} twice`);
    extensions.set(oid, { critical, value: derOctetString(parts[parts.length - 1], where) });
  }
  // RFC 5280 §4.1: Extensions are a sequence of at least one.
  if (extensions.size === 0) throw malformed(where, 'an empty list of extensions');
  return extensions;
}

/** Reads the standard extensions out of the map. Throws `x509.malformed`, `der.malformed`. */
export function readStandardExtensions(
  extensions: ReadonlyMap<string, Extension>,
  where: string,
): StandardExtensions {
  const read = <T>(oid: string, parse: (value: Uint8Array, at: string) => T): T | null => {
    const extension = extensions.get(oid);
    return extension === undefined ? null : parse(extension.value, where);
  };
  const constraints = read(OID.basicConstraints, basicConstraints);
  return {
    isCa: constraints?.isCa ?? false,
    pathLength: constraints?.pathLength ?? null,
    keyUsage: read(OID.keyUsage, keyUsage),
    extendedKeyUsage: read(OID.extendedKeyUsage, extendedKeyUsage),
    subjectKeyId: read(OID.subjectKeyIdentifier, (value, at) =>
      derOctetString(readDer(value, at), at),
    ),
    authorityKeyId: read(OID.authorityKeyIdentifier, authorityKeyId),
    alternativeNames: read(OID.subjectAltName, alternativeNames) ?? [],
  };
}

/** RFC 5280 §4.2.1.9. */
function basicConstraints(
  value: Uint8Array,
  where: string,
): Pick<StandardExtensions, 'isCa' | 'pathLength'> {
  const parts = derSequence(readDer(value, where), where);
  const [first] = parts;
  const isCa = first?.tag === DER.boolean && derBoolean(first, where);
  const rest = first?.tag === DER.boolean ? parts.slice(1) : parts;
  const [length] = rest;
  if (length === undefined) return { isCa, pathLength: null };
  const pathLength = derInteger(length, where);
  if (!isCa || rest.length > 1 || pathLength < 0n || pathLength > 255n) {
    throw malformed(where, 'basic constraints with a path length that cannot be');
  }
  return { isCa, pathLength: Number(pathLength) };
}

/** RFC 5280 §4.2.1.3: at least one bit is set. */
function keyUsage(value: Uint8Array, where: string): ReadonlySet<KeyUsage> {
  const { content } = expectTag(readDer(value, where), DER.bitString, where);
  const unused = content[0] ?? 8;
  const last = content[content.length - 1] ?? 0;
  const sizeFits = content.length === 2 || content.length === 3;
  if (!sizeFits || unused > 7 || (last & ((1 << unused) - 1)) !== 0) {
    throw malformed(where, 'a key usage that is no list of bits');
  }
  const usages = new Set<KeyUsage>();
  for (const [bit, usage] of KEY_USAGES.entries()) {
    if (((content[1 + (bit >> 3)] ?? 0) & (0x80 >> (bit & 7))) !== 0) usages.add(usage);
  }
  if (usages.size === 0) throw malformed(where, 'an empty key usage');
  return usages;
}

/** RFC 5280 §4.2.1.12: a sequence of at least one purpose. */
function extendedKeyUsage(value: Uint8Array, where: string): readonly string[] {
  const purposes = derSequence(readDer(value, where), where).map((part) => readOid(part, where));
  if (purposes.length === 0) throw malformed(where, 'an empty extended key usage');
  return purposes;
}

/** RFC 5280 §4.2.1.1: the key identifier, where there is one. */
function authorityKeyId(value: Uint8Array, where: string): Uint8Array | null {
  const [first] = derSequence(readDer(value, where), where);
  return first?.tag === 0x80 ? first.content : null;
}

function alternativeNames(value: Uint8Array, where: string): readonly AlternativeName[] {
  const names = derChildren(expectTag(readDer(value, where), DER.sequence, where), where);
  if (names.length === 0) throw malformed(where, 'an empty list of alternative names');
  return names.flatMap((name) => parseGeneralName(name, where) ?? []);
}

function malformed(where: string, what: string): TrustFault {
  return new TrustFault('x509.malformed', `the certificate at ${where} has ${what}`);
}
