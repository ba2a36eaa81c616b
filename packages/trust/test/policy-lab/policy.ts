import { createHash } from 'node:crypto';
import type {
  AttestedRequirement,
  AuthoritySpec,
  Requirement,
  SignedRequirement,
  TrustPolicy,
} from '@bulla/trust/policy/document';
import type { PolicySet, ReadyAuthority, ReadyPolicy } from '@bulla/trust/policy/policy-set';
import type { Authority } from '@bulla/trust/proof/authority';
import type { Lab } from '../sigstore-lab/lab.ts';

const SWITCHES = { log: true, sct: true, timestamp: true };
const REF = { kind: 'key', ref: null, pem: '', trustRoot: null, proof: SWITCHES } as const;

/** An authority ready to be asked; keys need no log unless a test gives the lab's trust root. */
export function ready(
  authority: Authority,
  lab: Pick<Lab, 'trustRoot'> | null = null,
): ReadyAuthority {
  const trustRoot = lab?.trustRoot ?? null;
  return {
    name: authority.name,
    authority,
    kind: authority.kind,
    requirements: { trustRoot, ...SWITCHES, log: authority.kind !== 'key' },
  };
}

/** An authority of a kind that no format of this release proves. */
export function unsupported(name: string, kind: 'notary' | 'x509' | 'openpgp'): ReadyAuthority {
  return { name, authority: null, kind, requirements: { trustRoot: null, ...SWITCHES } };
}

/** `signed`, by one of the named by default. */
export function signed(of: readonly string[], more: Partial<SignedRequirement> = {}): Requirement {
  return { kind: 'signed', of, atLeast: 1, annotations: {}, ...more };
}

/** `attested`, by one of the named and without conditions by default. */
export function attested(
  type: string,
  by: readonly string[],
  more: Partial<AttestedRequirement> = {},
): Requirement {
  return {
    kind: 'attested',
    type,
    by,
    atLeast: 1,
    where: null,
    maxAgeMs: null,
    time: 'trusted',
    vulnerabilities: null,
    vexBy: [],
    provenance: null,
    sbom: null,
    ...more,
  };
}

/** What a test says of a policy; the rest is the default of the document. */
export interface PolicyShape extends Partial<Omit<TrustPolicy, 'authorities' | 'require'>> {
  readonly require: Requirement;
  readonly authorities: readonly ReadyAuthority[];
  /** Repositories that it covers; default all. */
  readonly repositories?: readonly string[];
}

/** A ready policy, built by hand. */
export function policyOf(shape: PolicyShape): ReadyPolicy {
  const { authorities, require, repositories, ...rest } = shape;
  const specs: Record<string, AuthoritySpec> = {};
  for (const { name } of authorities) specs[name] = REF;
  const document: TrustPolicy = {
    name: 'prod',
    description: null,
    images: [{ glob: '**' }],
    exclude: [],
    surfaces: ['pull', 'admission', 'gate', 'node', 'watch'],
    namespaces: null,
    environments: null,
    mode: 'enforce',
    onInconclusive: 'deny',
    tags: 'pin',
    tree: 'any',
    rollback: 'allow',
    trustRoots: {},
    exceptions: null,
    ...rest,
    authorities: specs,
    require,
  };
  return {
    document,
    hash: `sha256:${createHash('sha256').update(JSON.stringify(document)).digest('hex')}`,
    authorities: new Map(authorities.map((authority) => [authority.name, authority])),
    covers: ({ repository }) => repositories?.includes(repository) ?? true,
  };
}

/** All policies of a door. */
export function setOf(...policies: readonly ReadyPolicy[]): PolicySet {
  const hashes = policies.map(({ hash }) => hash).sort();
  return {
    policies,
    hash: `sha256:${createHash('sha256').update(hashes.join()).digest('hex')}`,
    trustRootVersion: 'lab',
  };
}
