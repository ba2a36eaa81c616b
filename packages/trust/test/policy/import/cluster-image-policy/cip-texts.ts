import { publicKeyPem } from '@bulla/trust/crypto/public-key';
import { type ParsedPolicies, parsePolicies } from '@bulla/trust/policy/parse';
import { type TestKey, testKey } from '../../../tlog/synthetic-log.ts';

export const A = testKey('ecdsa-p256');
export const B = testKey('ecdsa-p256');
/** PEM of a key. */
export function pem(key: TestKey): string {
  return publicKeyPem(key.publicKey);
}

/** An authority of a key. */
export function keyOf(key: TestKey): object {
  return { key: { data: pem(key) } };
}

export const PASS = { static: { action: 'pass' } };
export const FAIL = { static: { action: 'fail', message: 'not here' } };

/** A ClusterImagePolicy as JSON text. */
export function cip(authorities: readonly object[], more: object = {}, name = 'imported'): string {
  return JSON.stringify({
    apiVersion: 'policy.sigstore.dev/v1beta1',
    kind: 'ClusterImagePolicy',
    metadata: { name, uid: 'e6', resourceVersion: '7' },
    spec: { images: [{ glob: 'registry.example/**' }], authorities, ...more },
    status: { conditions: [] },
  });
}

/** What the text of a policy file holds. */
export function own(text: string): ParsedPolicies {
  return parsePolicies(Buffer.from(text), 'cip.json');
}
