import type { Certificate } from '@bulla/trust/x509/certificate';
import {
  stamperExtensions,
  type TokenShape,
  writeResponse,
  writeToken,
} from '../timestamp/synthetic-token.ts';
import { testKey } from '../tlog/synthetic-log.ts';
import {
  caExtensions,
  commonName,
  generalizedTime,
  makeCertificate,
} from '../x509/synthetic-certificate.ts';
import { derTime } from './certificate-authority.ts';

/** A timestamp authority: a root, and a signing certificate below it. */
export interface TsaLab {
  /** Signing certificate first, as trust roots list it. */
  readonly chain: readonly Certificate[];
  /** An RFC 3161 response over `signature`; `shape` changes any part of its token. */
  stamp(signature: Uint8Array, at: Date, shape?: Partial<TokenShape>): Uint8Array;
}

const PERIOD = {
  notBefore: generalizedTime('20260101000000Z'),
  notAfter: generalizedTime('20560101000000Z'),
};

export function openTsa(name = 'lab tsa root'): TsaLab {
  const rootKey = testKey('ecdsa-p256');
  const rootPair = { publicKey: rootKey.publicKey.object, privateKey: rootKey.privateKey };
  const key = testKey('ecdsa-p256');
  const root = makeCertificate({
    ...PERIOD,
    issuer: commonName(name),
    subject: commonName(name),
    extensions: caExtensions(),
    key: rootPair,
    signer: rootPair,
  });
  const signer = makeCertificate({
    ...PERIOD,
    issuer: commonName(name),
    subject: commonName(`${name} signer`),
    extensions: stamperExtensions(),
    key: { publicKey: key.publicKey.object, privateKey: key.privateKey },
    signer: rootPair,
  });
  return {
    chain: [signer, root],
    stamp: (signature, at, shape = {}) =>
      writeResponse(
        0,
        writeToken({
          signer,
          key: key.privateKey,
          message: signature,
          genTime: derTime(at),
          certificates: [signer.raw],
          ...shape,
        }),
      ),
  };
}
