import { randomBytes } from 'node:crypto';
import { writeDer, writeInteger, writeOid, writeSequence } from '@bulla/trust/bytes/der-writer';
import type { Certificate } from '@bulla/trust/x509/certificate';
import { type TestKey, testKey } from '../tlog/synthetic-log.ts';
import {
  caExtensions,
  commonName,
  generalizedTime,
  leafExtensions,
  makeCertificate,
  utf8Value,
  writeExtension,
  writeTbs,
} from '../x509/synthetic-certificate.ts';
import type { CtLab } from './ct-log.ts';

/** Who a certificate is issued to. */
export interface Identity {
  readonly issuer: string;
  readonly subject: string;
}

/** How a certificate is issued; each default is what Fulcio does. */
export interface IssueOptions extends Identity {
  readonly at: Date;
  readonly minutes?: number;
  /** The signer's key; by default a fresh one. */
  readonly key?: TestKey;
  /** Null leaves the SCT out; another log's SCT can be given in its place. */
  readonly ctLog?: CtLab | null;
  /** Further names beside the subject. */
  readonly subjects?: readonly string[];
  /** Purposes of the key; default code signing. */
  readonly purpose?: string;
  /** Further extensions in DER. */
  readonly extensions?: readonly Uint8Array[];
}

/** A certificate and the key that it certifies. */
export interface Issued {
  readonly certificate: Certificate;
  readonly key: TestKey;
}

/** A certificate authority of one self-signed root. */
export interface CaLab {
  readonly root: Certificate;
  issue(options: IssueOptions): Issued;
}

const FULCIO = '1.3.6.1.4.1.57264.1';
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
const FOREVER = { notBefore: '20260101000000Z', notAfter: '20560101000000Z' };

/** `20261121120000Z` */
export function derTime(at: Date): string {
  return `${at.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
}

function generalName(name: string): Uint8Array {
  return writeDer(name.includes('://') ? 0x86 : 0x81, Buffer.from(name));
}

function leafFields(options: IssueOptions): readonly Uint8Array[] {
  const names = [options.subject, ...(options.subjects ?? [])].map(generalName);
  const [usage = new Uint8Array()] = leafExtensions();
  return [
    usage,
    writeExtension('2.5.29.37', writeSequence(writeOid(options.purpose ?? CODE_SIGNING))),
    writeExtension('2.5.29.17', writeSequence(...names), true),
    writeExtension(`${FULCIO}.1`, Buffer.from(options.issuer)),
    writeExtension(`${FULCIO}.8`, utf8Value(options.issuer)),
    ...(options.extensions ?? []),
  ];
}

/** A certificate authority whose certificates carry promises of `ctLog`. */
export function openCa(ctLog: CtLab, name = 'lab root'): CaLab {
  const own = testKey('ecdsa-p256');
  const pair = { publicKey: own.publicKey.object, privateKey: own.privateKey };
  const root = makeCertificate({
    issuer: commonName(name),
    subject: commonName(name),
    notBefore: generalizedTime(FOREVER.notBefore),
    notAfter: generalizedTime(FOREVER.notAfter),
    extensions: caExtensions(),
    key: pair,
    signer: pair,
  });
  return {
    root,
    issue(options) {
      const { at, minutes = 10, key = testKey('ecdsa-p256') } = options;
      const shape = {
        serial: writeInteger(BigInt(`0x01${randomBytes(15).toString('hex')}`)),
        issuer: commonName(name),
        subject: writeSequence(),
        notBefore: generalizedTime(derTime(at)),
        notAfter: generalizedTime(derTime(new Date(at.getTime() + minutes * 60_000))),
        key: { publicKey: key.publicKey.object, privateKey: key.privateKey },
        signer: pair,
      };
      const fields = leafFields(options);
      const log = options.ctLog === undefined ? ctLog : options.ctLog;
      const promises =
        log === null
          ? []
          : [
              log.promise({
                tbs: writeTbs({ ...shape, extensions: fields }),
                issuerSpki: root.publicKeyInfo,
                at,
              }),
            ];
      return {
        key,
        certificate: makeCertificate({ ...shape, extensions: [...fields, ...promises] }),
      };
    },
  };
}
