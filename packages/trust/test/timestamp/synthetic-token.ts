import { createHash, type KeyObject, sign } from 'node:crypto';
import {
  writeBoolean,
  writeDer,
  writeInteger,
  writeNull,
  writeOctetString,
  writeOid,
  writeSequence,
} from '@bulla/trust/bytes/der-writer';
import type { Certificate } from '@bulla/trust/x509/certificate';

/** Timestamps of every shape, written by the RFCs and not by the code under test. */
export interface TokenShape {
  readonly signer: Certificate;
  readonly key: KeyObject;
  /** What is stamped. */
  readonly message: Uint8Array;
  readonly imprint?: { readonly hash: string; readonly oid: string };
  readonly genTime?: string;
  /** Fields after genTime, each in DER. */
  readonly options?: readonly Uint8Array[];
  readonly infoVersion?: number;
  readonly contentType?: string;
  /** Content of the message-digest attribute; by default the digest of the TSTInfo. */
  readonly messageDigest?: Uint8Array;
  readonly attributeContentType?: string;
  /** Values of the signing-certificate attribute; null leaves the attribute out. */
  readonly reference?: Uint8Array | null;
  readonly extraAttributes?: readonly Uint8Array[];
  readonly certificates?: readonly Uint8Array[];
  readonly signerId?: Uint8Array;
  readonly signerVersion?: number;
  readonly version?: number;
  readonly digests?: readonly Uint8Array[];
  readonly digest?: Uint8Array;
  readonly algorithm?: Uint8Array;
  readonly signers?: 0 | 1 | 2;
}

export const TST_INFO = '1.2.840.113549.1.9.16.1.4';
export const SHA256 = writeSequence(writeOid('2.16.840.1.101.3.4.2.1'));
export const SHA1 = writeSequence(writeOid('1.3.14.3.2.26'));
const SIGNING_CERTIFICATE = '1.2.840.113549.1.9.16.2.12';
const SIGNING_CERTIFICATE_V2 = '1.2.840.113549.1.9.16.2.47';

function hash(name: string, bytes: Uint8Array): Uint8Array {
  return createHash(name).update(bytes).digest();
}

export function attribute(oid: string, ...values: readonly Uint8Array[]): Uint8Array {
  return writeSequence(writeOid(oid), writeDer(0x31, ...values));
}

/** signing-certificate of version 2 that names `certificate`, with parts of the caller's choice. */
export function referenceV2(certificate: Certificate, ...after: readonly Uint8Array[]): Uint8Array {
  const id = writeSequence(writeOctetString(hash('sha256', certificate.raw)), ...after);
  return attribute(SIGNING_CERTIFICATE_V2, writeSequence(writeSequence(id)));
}

/** signing-certificate of version 1, which is SHA-1. */
export function referenceV1(certificate: Certificate): Uint8Array {
  const id = writeSequence(writeOctetString(hash('sha1', certificate.raw)));
  return attribute(SIGNING_CERTIFICATE, writeSequence(writeSequence(id)));
}

/** IssuerSerial. */
export function issuerSerial(issuer: Uint8Array, serial: bigint): Uint8Array {
  return writeSequence(writeSequence(writeDer(0xa4, issuer)), writeInteger(serial));
}

export function writeTstInfo(shape: TokenShape): Uint8Array {
  const { hash: name, oid } = shape.imprint ?? { hash: 'sha256', oid: '2.16.840.1.101.3.4.2.1' };
  return writeSequence(
    writeInteger(shape.infoVersion ?? 1),
    writeOid('1.3.6.1.4.1.57264.2'),
    writeSequence(
      writeSequence(writeOid(oid), writeNull()),
      writeOctetString(hash(name, shape.message)),
    ),
    writeInteger(99),
    writeDer(0x18, Buffer.from(shape.genTime ?? '20260601000000Z')),
    ...(shape.options ?? []),
  );
}

export function writeToken(shape: TokenShape): Uint8Array {
  const info = writeTstInfo(shape);
  const { signer } = shape;
  const reference = shape.reference === undefined ? referenceV2(signer) : shape.reference;
  const attributes = [
    attribute('1.2.840.113549.1.9.3', writeOid(shape.attributeContentType ?? TST_INFO)),
    attribute(
      '1.2.840.113549.1.9.4',
      writeOctetString(shape.messageDigest ?? hash('sha256', info)),
    ),
    ...(reference === null ? [] : [reference]),
    ...(shape.extraAttributes ?? []),
  ];
  const signerInfo = writeSequence(
    writeInteger(shape.signerVersion ?? 1),
    shape.signerId ?? writeSequence(signer.issuer, writeInteger(signer.serial)),
    shape.digest ?? SHA256,
    writeDer(0xa0, ...attributes),
    shape.algorithm ?? writeSequence(writeOid('1.2.840.10045.4.3.2')),
    writeOctetString(sign('sha256', writeDer(0x31, ...attributes), shape.key)),
  );
  const signedData = writeSequence(
    writeInteger(shape.version ?? 3),
    writeDer(0x31, ...(shape.digests ?? [SHA256])),
    writeSequence(writeOid(shape.contentType ?? TST_INFO), writeDer(0xa0, writeOctetString(info))),
    ...(shape.certificates === undefined ? [] : [writeDer(0xa0, ...shape.certificates)]),
    writeDer(0x31, ...Array.from({ length: shape.signers ?? 1 }, () => signerInfo)),
  );
  return writeSequence(writeOid('1.2.840.113549.1.7.2'), writeDer(0xa0, signedData));
}

/** A TimeStampResp of `status` around the token, when there is one. */
export function writeResponse(
  status: number,
  token: Uint8Array | null,
  ...details: readonly Uint8Array[]
): Uint8Array {
  return writeSequence(
    writeSequence(writeInteger(status), ...details),
    ...(token === null ? [] : [token]),
  );
}

/** Extensions of a timestamp authority's certificate. */
export function stamperExtensions(critical = true): readonly Uint8Array[] {
  const purpose = writeSequence(writeOid('1.3.6.1.5.5.7.3.8'));
  const flag = critical ? [writeBoolean(true)] : [];
  return [writeSequence(writeOid('2.5.29.37'), ...flag, writeOctetString(purpose))];
}
