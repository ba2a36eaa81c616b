import { derOctetString, readDer } from '../bytes/der.ts';
import { digestOf } from '../bytes/hash.ts';
import { encodeHex } from '../bytes/hex.ts';
import type { PublicKey } from '../crypto/public-key.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';
import { FULCIO_EXTENSIONS, fulcioClaims } from '../x509/fulcio-extensions.ts';
import { OID } from '../x509/object-identifiers.ts';
import { parseSctList } from '../x509/sct-list.ts';
import { type Explanation, explain, explainPart } from './explanation.ts';

/** What a certificate in DER says. Throws as `parseCertificate`. */
export function explainCertificate(der: Uint8Array, where: string): Explanation {
  const certificate = parseCertificate(der, where);
  return explain(
    'certificate',
    {
      identities: certificate.alternativeNames.map(({ kind, value }) => `${kind} ${value}`),
      subject: certificate.subjectText === '' ? null : certificate.subjectText,
      issuedBy: certificate.issuerText,
      serial: encodeSerial(certificate.serial),
      notBefore: certificate.notBefore,
      notAfter: certificate.notAfter,
      authority: certificate.isCa ? true : null,
      keyUsage: certificate.keyUsage === null ? null : [...certificate.keyUsage],
      extendedKeyUsage: certificate.extendedKeyUsage?.map(usageName),
      key: describeKey(certificate.publicKey),
      sha256: encodeHex(digestOf('sha256', der)),
    },
    [...explainClaims(certificate), ...explainScts(certificate)],
  );
}

/** What a public key is. */
export function explainKey(key: PublicKey): Explanation {
  const hint = Buffer.from(key.id, 'hex').toString('base64');
  return explain('public-key', { algorithm: key.kind, id: key.id, hint });
}

function describeKey(key: PublicKey): string {
  return `${key.kind} ${key.id}`;
}

function encodeSerial(serial: bigint): string {
  const hex = serial.toString(16);
  return hex.length % 2 === 0 ? hex : `0${hex}`;
}

function usageName(oid: string): string {
  if (oid === OID.codeSigning) return 'codeSigning';
  return oid === OID.timeStamping ? 'timeStamping' : oid;
}

/** Fulcio's extensions under the names of fulcio docs/oid-info.md. */
function explainClaims(certificate: Certificate): readonly Explanation[] {
  if (!FULCIO_EXTENSIONS.some(({ oid }) => certificate.extensions.has(oid))) return [];
  return [
    explainPart('Fulcio extensions', () =>
      explain('fulcio-extensions', { ...fulcioClaims(certificate) }),
    ),
  ];
}

function explainScts(certificate: Certificate): readonly Explanation[] {
  const extension = certificate.extensions.get(OID.sctList);
  if (extension === undefined) return [];
  const list = (): Explanation => {
    const scts = parseSctList(derOctetString(readDer(extension.value, 'SCTs'), 'SCTs'));
    return explain(
      'signed-certificate-timestamps',
      {},
      scts.map(({ logId, time, leafIndex }) =>
        explain('sct', { log: encodeHex(logId), time, leafIndex }),
      ),
    );
  };
  return [explainPart('signed certificate timestamps', list)];
}
