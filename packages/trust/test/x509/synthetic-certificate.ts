import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import {
  writeBoolean,
  writeDer,
  writeInteger,
  writeOctetString,
  writeOid,
  writeSequence,
} from '@bulla/trust/bytes/der-writer';
import { type Certificate, parseCertificate } from '@bulla/trust/x509/certificate';

/** Certificates of every shape, also those that no CA would issue, made with DER and one key. */
export interface CertificateShape {
  readonly version?: Uint8Array;
  readonly serial?: Uint8Array;
  readonly inner?: Uint8Array;
  readonly outer?: Uint8Array;
  readonly issuer?: Uint8Array;
  readonly subject?: Uint8Array;
  readonly notBefore?: Uint8Array;
  readonly notAfter?: Uint8Array;
  /** Null leaves the field out; an empty list writes an empty one. */
  readonly extensions?: readonly Uint8Array[] | null;
  /** Fields after the key in place of the extensions. */
  readonly tail?: readonly Uint8Array[];
  readonly key?: KeyPair;
  readonly signer?: KeyPair;
}

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export const KEYS: KeyPair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
export const ECDSA_SHA256 = writeSequence(writeOid('1.2.840.10045.4.3.2'));

export function utf8Value(text: string): Uint8Array {
  return writeDer(0x0c, Buffer.from(text));
}

/** A Name with one attribute per entry; `type` is a dotted object identifier. */
export function writeName(...attributes: readonly (readonly [string, string])[]): Uint8Array {
  const sets = attributes.map(([type, text]) =>
    writeDer(0x31, writeSequence(writeOid(type), utf8Value(text))),
  );
  return writeSequence(...sets);
}

export function commonName(text: string): Uint8Array {
  return writeName(['2.5.4.3', text]);
}

export function writeExtension(oid: string, value: Uint8Array, critical = false): Uint8Array {
  const flag = critical ? [writeBoolean(true)] : [];
  return writeSequence(writeOid(oid), ...flag, writeOctetString(value));
}

export function generalizedTime(text: string): Uint8Array {
  return writeDer(0x18, Buffer.from(text));
}

/** Extensions of a CA, with or without a path length. */
export function caExtensions(pathLength?: number): readonly Uint8Array[] {
  const length = pathLength === undefined ? [] : [writeInteger(pathLength)];
  return [
    writeExtension('2.5.29.19', writeSequence(writeBoolean(true), ...length), true),
    writeExtension('2.5.29.15', Uint8Array.of(0x03, 0x02, 0x01, 0x06), true),
  ];
}

/** Extensions of a leaf for code signing. */
export function leafExtensions(): readonly Uint8Array[] {
  return [
    writeExtension('2.5.29.15', Uint8Array.of(0x03, 0x02, 0x07, 0x80), true),
    writeExtension('2.5.29.37', writeSequence(writeOid('1.3.6.1.5.5.7.3.3'))),
  ];
}

export function writeTbs(shape: CertificateShape = {}): Uint8Array {
  const extensions = shape.extensions === undefined ? leafExtensions() : shape.extensions;
  const list = extensions === null ? [] : [writeDer(0xa3, writeSequence(...extensions))];
  return writeSequence(
    shape.version ?? writeDer(0xa0, writeInteger(2)),
    shape.serial ?? writeInteger(7),
    shape.inner ?? ECDSA_SHA256,
    shape.issuer ?? commonName('root'),
    writeSequence(
      shape.notBefore ?? generalizedTime('20260101000000Z'),
      shape.notAfter ?? generalizedTime('20270101000000Z'),
    ),
    shape.subject ?? commonName('leaf'),
    (shape.key ?? KEYS).publicKey.export({ format: 'der', type: 'spki' }),
    ...(shape.tail ?? list),
  );
}

/** The certificate in DER, signed with `signer` (by default the one key of all). */
export function writeCertificate(shape: CertificateShape = {}): Uint8Array {
  const tbs = writeTbs(shape);
  const signature = sign('sha256', tbs, (shape.signer ?? KEYS).privateKey);
  return writeSequence(
    tbs,
    shape.outer ?? shape.inner ?? ECDSA_SHA256,
    writeDer(0x03, Uint8Array.of(0), signature),
  );
}

export function makeCertificate(shape: CertificateShape = {}): Certificate {
  return parseCertificate(writeCertificate(shape), 'synthetic');
}

/** A CA certificate; self-signed unless an issuer is named. */
export function makeCa(name: string, shape: CertificateShape = {}): Certificate {
  return makeCertificate({
    issuer: commonName(name),
    subject: commonName(name),
    extensions: caExtensions(),
    ...shape,
  });
}
