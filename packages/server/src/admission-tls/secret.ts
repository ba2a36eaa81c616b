import { createPrivateKey, X509Certificate } from 'node:crypto';
import { decodeBase64, encodeBase64 } from '@bulla/trust/bytes/base64';
import { parseJson } from '@bulla/trust/bytes/json';
import {
  asArray,
  asString,
  asStringMap,
  type Cursor,
  cursor,
  type JsonObject,
  member,
  optional,
} from '@bulla/trust/bytes/shape';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { Pair } from '../http/tls/issue.ts';
import { bundleOf, type CertificateState } from './state.ts';

const CODE = 'kubernetes.certificates-invalid';

/**
 * The `data` of the Secret. `tls.crt`, `tls.key` and `ca.crt` are what every tool knows by these
 * names; the rest is for the rotation.
 */
export function secretData(state: CertificateState): Readonly<Record<string, string>> {
  const { authority, served, next, former } = state;
  const texts = {
    'tls.crt': chainOf(state),
    'tls.key': keyPem(served),
    'ca.crt': bundleOf(state),
    'authority.crt': authority.certificate.toString(),
    'authority.key': keyPem(authority),
    ...(next === null ? {} : { 'next.crt': next.certificate.toString(), 'next.key': keyPem(next) }),
    former: JSON.stringify(
      former.map(({ certificate, until }) => ({
        certificate: certificate.toString(),
        until: until.toISOString(),
      })),
    ),
  };
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, encodeBase64(Buffer.from(text))]),
  );
}

/** What a listener serves: the certificate and its authority's. */
export function chainOf({ served, authority }: CertificateState): string {
  return `${served.certificate.toString()}${authority.certificate.toString()}`;
}

/** A key in PEM. */
export function keyPem({ key }: Pick<Pair, 'key'>): string {
  return key.export({ format: 'pem', type: 'pkcs8' }).toString();
}

/**
 * What a Secret holds; null for one without data, as the manifests make it. Throws
 * `kubernetes.certificates-invalid`, whose message shows none of it: another's Secret must not be
 * written over, and a damaged one is for people to look at.
 */
export function parseSecret(value: JsonObject): CertificateState | null {
  try {
    const data = optional(member(cursor(value, 'the Secret', CODE), 'data'), asStringMap) ?? {};
    if (Object.keys(data).length === 0) return null;
    const text = (name: string): string => {
      const found = data[name];
      if (found === undefined) throw new TrustFault(CODE, `the Secret has no ${name}`);
      return Buffer.from(decodeBase64(found, name)).toString('utf8');
    };
    const pair = (certificate: string, key: string): Pair =>
      checkedPair(text(certificate), text(key));
    return {
      authority: pair('authority.crt', 'authority.key'),
      served: pair('tls.crt', 'tls.key'),
      next: data['next.crt'] === undefined ? null : pair('next.crt', 'next.key'),
      former: asArray(
        cursor(parseJson(Buffer.from(text('former')), 'former'), 'former', CODE),
        formerAt,
      ),
    };
  } catch (cause) {
    if (cause instanceof TrustFault && cause.code === CODE) throw cause;
    throw new TrustFault(CODE, 'the Secret holds no certificates of this server');
  }
}

function checkedPair(certificate: string, key: string): Pair {
  const pair = { certificate: new X509Certificate(certificate), key: createPrivateKey(key) };
  if (pair.certificate.checkPrivateKey(pair.key)) return pair;
  throw new TrustFault(CODE, 'the Secret has a key that is not of its certificate');
}

function formerAt(at: Cursor): CertificateState['former'][number] {
  const until = new Date(asString(member(at, 'until')));
  if (Number.isNaN(until.getTime())) throw new TrustFault(CODE, 'the Secret has a malformed time');
  return { certificate: new X509Certificate(asString(member(at, 'certificate'))), until };
}
