import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ALGORITHMS, algorithmOfKeyDetails } from '@bulla/trust/crypto/algorithm';
import { parseSpki } from '@bulla/trust/crypto/public-key';
import type { ValidityPeriod } from '@bulla/trust/crypto/validity-period';
import type { CertificateAuthority } from '@bulla/trust/x509/authority';
import { type Certificate, parseCertificate } from '@bulla/trust/x509/certificate';
import type { CtLog } from '@bulla/trust/x509/sct';

export const VECTORS = join(import.meta.dirname, '../../../../vectors');

/** Trust roots and bundles as the tests need them: read loosely, because they are known to be good. */
export interface Material {
  readonly certificateAuthorities: readonly CertificateAuthority[];
  readonly timestampAuthorities: readonly CertificateAuthority[];
  readonly ctLogs: readonly CtLog[];
}

interface JsonAuthority {
  readonly uri: string;
  readonly certChain: { readonly certificates: readonly { readonly rawBytes: string }[] };
  readonly validFor?: JsonPeriod;
}

interface JsonPeriod {
  readonly start?: string;
  readonly end?: string;
}

interface JsonLog {
  readonly baseUrl: string;
  readonly publicKey: {
    readonly rawBytes: string;
    readonly keyDetails: string;
    readonly validFor?: JsonPeriod;
  };
  readonly logId: { readonly keyId: string };
}

function period(json: JsonPeriod | undefined): ValidityPeriod {
  return {
    start: json?.start === undefined ? null : new Date(json.start),
    end: json?.end === undefined ? null : new Date(json.end),
  };
}

function authority(json: JsonAuthority): CertificateAuthority {
  return {
    name: json.uri,
    chain: json.certChain.certificates.map(({ rawBytes }) =>
      parseCertificate(Buffer.from(rawBytes, 'base64'), json.uri),
    ),
    validFor: period(json.validFor),
  };
}

/** What a trusted_root.json names. */
export function readTrustRoot(path: string): Material {
  const json = JSON.parse(readFileSync(path, 'utf8'));
  return {
    certificateAuthorities: (json.certificateAuthorities ?? []).map(authority),
    timestampAuthorities: (json.timestampAuthorities ?? []).map(authority),
    ctLogs: (json.ctlogs ?? []).map((log: JsonLog) => ({
      baseUrl: log.baseUrl,
      key: parseSpki(Buffer.from(log.publicKey.rawBytes, 'base64'), log.baseUrl),
      algorithm: algorithmOfKeyDetails(log.publicKey.keyDetails) ?? ALGORITHMS['ecdsa-sha256'],
      logId: Buffer.from(log.logId.keyId, 'base64'),
      validFor: period(log.publicKey.validFor),
    })),
  };
}

/** One of the trust roots of vectors/cosign/trust. */
export function labTrustRoot(name = 'trusted_root'): Material {
  return readTrustRoot(join(VECTORS, 'cosign/trust', `${name}.json`));
}

/** What a bundle carries beside the log entries. */
export interface BundleMaterial {
  readonly leaf: Certificate | null;
  readonly intermediates: readonly Certificate[];
  readonly timestamps: readonly Uint8Array[];
  readonly signature: Uint8Array;
}

export function readBundle(path: string): BundleMaterial {
  const json = JSON.parse(readFileSync(path, 'utf8'));
  const material = json.verificationMaterial;
  const chain: readonly { readonly rawBytes: string }[] = [
    ...(material.certificate === undefined ? [] : [material.certificate]),
    ...(material.x509CertificateChain?.certificates ?? []),
  ];
  const certificates = chain.map(({ rawBytes }) =>
    parseCertificate(Buffer.from(rawBytes, 'base64'), path),
  );
  const stamps: readonly { readonly signedTimestamp: string }[] =
    material.timestampVerificationData?.rfc3161Timestamps ?? [];
  const signature = json.messageSignature?.signature ?? json.dsseEnvelope.signatures[0].sig;
  return {
    leaf: certificates[0] ?? null,
    intermediates: certificates.slice(1),
    timestamps: stamps.map(({ signedTimestamp }) => Buffer.from(signedTimestamp, 'base64')),
    signature: Buffer.from(signature, 'base64'),
  };
}

/** One of the bundles of vectors/cosign/blobs. */
export function labBundle(name: string): BundleMaterial {
  return readBundle(join(VECTORS, 'cosign/blobs', `${name}.sigstore.json`));
}

/** The leaf of one of the keyless bundles. */
export function labLeaf(name = 'keyless'): Certificate {
  const { leaf } = labBundle(name);
  if (leaf === null) throw new Error(`${name} has no certificate`);
  return leaf;
}
