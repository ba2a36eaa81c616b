import { publicKeyPem } from '@bulla/trust/crypto/public-key';
import { parsePolicies } from '@bulla/trust/policy/parse';
import type { ReadyPolicy } from '@bulla/trust/policy/policy-set';
import { parsePolicyKey } from '@bulla/trust/policy/public-key';
import { readyPolicy } from '@bulla/trust/policy/ready';
import type { TrustedRoot } from '@bulla/trust/trust-root/trusted-root';
import { NOW, openLab } from '../../sigstore-lab/lab.ts';
import { testKey } from '../../tlog/synthetic-log.ts';

export const lab = openLab();
export const A = testKey('ecdsa-p256');
export const B = testKey('ecdsa-p256');

/** Base64 of a key's PEM, as the files have it. */
export function data(key: typeof A): string {
  return Buffer.from(publicKeyPem(key.publicKey)).toString('base64');
}

const key = (of: typeof A, more: object = {}): object => ({
  key: { pem: publicKeyPem(of.publicKey), ...more },
});

const identity = (subject: object, more: object = {}): object => ({
  keyless: {
    issuer: { exact: 'https://issuer.example' },
    subject,
    trustRoot: 'lab',
    proof: { sct: 'off' },
    ...more,
  },
});

/** Authorities by the names that the tests' requirements use. */
export const AUTHORITIES: Readonly<Record<string, object>> = {
  a: key(A),
  b: key(B),
  again: key(A),
  logged: key(A, { trustRoot: 'lab' }),
  email: identity({ exact: 'dev@acme.example' }),
  sct: identity({ exact: 'dev@acme.example' }, { proof: {} }),
  uri: identity({ exact: 'https://acme.example/x' }),
  pattern: identity({ glob: '*@acme.example' }),
  claims: identity({ exact: 'dev@acme.example' }, { claims: { githubWorkflowTrigger: 'push' } }),
  unlogged: identity({ exact: 'dev@acme.example' }, { proof: { log: 'off', sct: 'off' } }),
  static: { static: { action: 'fail', message: 'no' } },
};

/** A policy by its spec; its authorities are all of the above. */
export function policy(
  images: readonly object[],
  require: object,
  more: object = {},
  name = 'p',
  root: TrustedRoot = lab.trustRoot,
): ReadyPolicy {
  const spec = { images, tree: 'leaf', authorities: AUTHORITIES, require, ...more };
  const text = JSON.stringify({
    apiVersion: 'bulla.dev/v1',
    kind: 'TrustPolicy',
    metadata: { name },
    spec,
  });
  const [document] = parsePolicies(Buffer.from(text), 'p.json').policies;
  if (document === undefined) throw new Error(text);
  const keys = Object.entries(document.authorities).flatMap(([authority, one]) =>
    one.kind === 'key'
      ? [[authority, parsePolicyKey(Buffer.from(one.pem ?? ''), 'it')] as const]
      : [],
  );
  const trustRoots = new Map([['lab', root]]);
  return readyPolicy(document, { keys: new Map(keys), trustRoots });
}

export const PLACE = { surface: 'node', namespace: null, environment: null, at: NOW } as const;
