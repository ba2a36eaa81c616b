import { createHmac, timingSafeEqual } from 'node:crypto';
import { TrustFault } from '@bulla/trust/fault/fault';
import { parseClaims, type RegistryClaims, type RegistryKey } from './parse.ts';
import type { RegistryKeys } from './registry-keys.ts';

// What is authenticated says what it is for, so that no other use of the key can be mistaken for it.
const CONTEXT = 'bulla registry token v1\n';
/** Clocks of replicas differ by so much. */
const SKEW_MS = 60_000;
const FORM = /^v1\.([0-9a-f]{16})\.([A-Za-z0-9_-]{1,16000})\.([A-Za-z0-9_-]{43})$/;

/** Claims as a registry token, `v1.KEY.CLAIMS.MAC`: opaque to clients, and readable to nobody else. */
export function sealClaims(key: RegistryKey, claims: RegistryClaims): string {
  const { audience, kind, subject, issued, expires, catalog, access } = claims;
  const payload = Buffer.from(
    JSON.stringify({
      aud: audience,
      kind,
      sub: subject,
      iat: issued.getTime(),
      exp: expires.getTime(),
      catalog: catalog ? 'yes' : 'no',
      access,
    }),
  ).toString('base64url');
  return `v1.${key.id}.${payload}.${macOf(key, payload)}`;
}

/**
 * What a registry token says, when one of the keys made it for this audience and it has not
 * expired; one of a clock that was ahead would last until then, and is refused. Throws `access.credentials-invalid` for everything else.
 */
export async function openClaims(
  keys: RegistryKeys,
  token: string,
  audience: string,
  at: Date,
): Promise<RegistryClaims> {
  const [, id = '', payload = '', mac = ''] = FORM.exec(token) ?? [];
  const key = id === '' ? null : await keys.find(id);
  // As texts: 43 characters have two bits more than 32 bytes, and one token must not have four forms.
  if (key === null || !timingSafeEqual(Buffer.from(macOf(key, payload)), Buffer.from(mac))) {
    throw invalid('is not one of this server');
  }
  const claims = parseClaims(Buffer.from(payload, 'base64url'));
  if (claims.audience !== audience) throw invalid('is for another service');
  if (claims.expires.getTime() <= at.getTime()) throw invalid('has expired');
  if (claims.issued.getTime() > at.getTime() + SKEW_MS) throw invalid('was issued in the future');
  return claims;
}

function macOf({ id, secret }: RegistryKey, payload: string): string {
  return createHmac('sha256', secret).update(`${CONTEXT}${id}\n${payload}`).digest('base64url');
}

function invalid(why: string): TrustFault {
  return new TrustFault('access.credentials-invalid', `the registry token ${why}`);
}
