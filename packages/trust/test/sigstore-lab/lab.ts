import { encodeBase64 } from '@bulla/trust/bytes/base64';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { parseTrustedRoot, type TrustedRoot } from '@bulla/trust/trust-root/trusted-root';
import type { Certificate } from '@bulla/trust/x509/certificate';
import { type CaLab, openCa } from './certificate-authority.ts';
import { type CtLab, openCtLog } from './ct-log.ts';
import { openTsa, type TsaLab } from './timestamp-authority.ts';
import { openTlog, type TlogLab } from './transparency-log.ts';

/** The instant at which the lab signs, unless a test says otherwise. */
export const NOW = new Date('2026-11-21T12:00:00Z');

/** `minutes` after NOW, or before when negative. */
export function minutes(count: number): Date {
  return new Date(NOW.getTime() + count * 60_000);
}

/** One of each service. */
export interface Services {
  readonly ctLog: CtLab;
  readonly ca: CaLab;
  /** As Rekor v2. */
  readonly tlog: TlogLab;
  /** As Rekor v1. */
  readonly oldTlog: TlogLab;
  readonly tsa: TsaLab;
}

/** Services and the trust root that names them. */
export interface Lab extends Services {
  readonly trustRoot: TrustedRoot;
}

export function openServices(): Services {
  const ctLog = openCtLog();
  return {
    ctLog,
    ca: openCa(ctLog),
    tlog: openTlog(2, 'log.example'),
    oldTlog: openTlog(1, 'rekor.example'),
    tsa: openTsa(),
  };
}

/** What a trust root leaves out or limits. */
export interface RootEdits {
  readonly without?: readonly (
    | 'tlogs'
    | 'ctlogs'
    | 'certificateAuthorities'
    | 'timestampAuthorities'
  )[];
  /** The period of every instance; default open. */
  readonly validFor?: { readonly start?: string; readonly end?: string };
  /** The period of the two transparency logs' keys. */
  readonly logValidFor?: { readonly start?: string; readonly end?: string };
}

const base64 = (bytes: Uint8Array) => encodeBase64(bytes);

/** trusted_root.json of the services. */
export function trustRootDocument(services: Services, edits: RootEdits = {}): object {
  const { ctLog, ca, tlog, oldTlog, tsa } = services;
  const validFor = edits.validFor ?? {};
  const logPeriod = edits.logValidFor ?? validFor;
  const chain = (certificates: readonly Certificate[]) => ({
    certificates: certificates.map(({ raw }) => ({ rawBytes: base64(raw) })),
  });
  const log = (
    url: string,
    spki: Uint8Array,
    keyDetails: string,
    id: Uint8Array,
    period: object,
  ) => ({
    baseUrl: url,
    hashAlgorithm: 'SHA2_256',
    publicKey: { rawBytes: base64(spki), keyDetails, validFor: period },
    logId: { keyId: base64(id) },
  });
  const p256 = 'PKIX_ECDSA_P256_SHA_256';
  const document = {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [
      log(tlog.log.baseUrl, tlog.key.publicKey.spki, 'PKIX_ED25519', tlog.log.logId, logPeriod),
      log(oldTlog.log.baseUrl, oldTlog.key.publicKey.spki, p256, oldTlog.log.logId, logPeriod),
    ],
    ctlogs: [log('https://ct.example', ctLog.key.publicKey.spki, p256, ctLog.logId, validFor)],
    certificateAuthorities: [{ uri: 'https://ca.example', certChain: chain([ca.root]), validFor }],
    timestampAuthorities: [{ uri: 'https://tsa.example', certChain: chain(tsa.chain), validFor }],
  };
  const left = Object.entries(document).filter(
    ([name]) => !(edits.without ?? []).some((gone) => gone === name),
  );
  return Object.fromEntries(left);
}

/** The trust root of the services, read by the product's own parser. */
export function trustRootOf(services: Services, edits: RootEdits = {}): TrustedRoot {
  return parseTrustedRoot(utf8(JSON.stringify(trustRootDocument(services, edits))), 'the lab');
}

export function openLab(edits: RootEdits = {}): Lab {
  const services = openServices();
  return { ...services, trustRoot: trustRootOf(services, edits) };
}
