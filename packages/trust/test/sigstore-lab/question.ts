import type { Verdict } from '@bulla/trust/finding/verdict';
import { computeDigest, type Digest } from '@bulla/trust/oci/digest';
import { compilePattern, type Pattern } from '@bulla/trust/policy/pattern';
import type { Authority } from '@bulla/trust/proof/authority';
import type { Evidence, Wanted } from '@bulla/trust/proof/evidence';
import type { ProofRequirements } from '@bulla/trust/proof/requirements';
import {
  type VerifyArtifactOptions,
  type VerifyQuestion,
  verifyArtifact,
  verifyBlob,
} from '@bulla/trust/verify';
import type { TestKey } from '../tlog/synthetic-log.ts';
import type { Identity } from './certificate-authority.ts';
import { type Lab, NOW } from './lab.ts';

/** Who a test lets sign by default. */
export const DEV: Identity = { issuer: 'https://issuer.example', subject: 'dev@acme.example' };

function matcher(pattern: Pattern) {
  return { text: JSON.stringify(pattern), matches: compilePattern(pattern) };
}

/** An authority of one identity, or of patterns. */
export function keyless(
  identity: { readonly issuer: string | Pattern; readonly subject: string | Pattern } = DEV,
  name = 'identity',
): Authority {
  const pattern = (value: string | Pattern) =>
    matcher(typeof value === 'string' ? { exact: value } : value);
  return {
    kind: 'keyless',
    name,
    issuer: pattern(identity.issuer),
    subject: pattern(identity.subject),
    claims: [],
  };
}

/** An authority of one key. */
export function keyed(key: TestKey, name = 'key'): Authority {
  return { kind: 'key', name, key: key.publicKey };
}

export const SIGNATURE: Wanted = { kind: 'signature', annotations: {} };

/** A question, where only what differs from the usual one is said. */
export interface Asked {
  readonly authorities: readonly Authority[];
  readonly atLeast?: number;
  readonly wanted?: Wanted;
  readonly condition?: VerifyQuestion['condition'];
  readonly requirements?: Partial<ProofRequirements>;
}

/** The whole question under the lab's trust root at NOW. */
export function questionOf(lab: Pick<Lab, 'trustRoot'>, asked: Asked): VerifyQuestion {
  return {
    authorities: asked.authorities,
    atLeast: asked.atLeast ?? 1,
    wanted: asked.wanted ?? SIGNATURE,
    condition: asked.condition ?? null,
    requirements: {
      trustRoot: lab.trustRoot,
      at: NOW,
      log: true,
      sct: true,
      timestamp: true,
      ...asked.requirements,
    },
  };
}

/** The verdict on bytes, or on a digest alone, by evidence at hand. */
export function judgeBlob(
  lab: Pick<Lab, 'trustRoot'>,
  about: Uint8Array | Digest,
  evidence: readonly Evidence[],
  asked: Asked,
): Promise<Verdict> {
  const bytes = typeof about === 'string' ? null : about;
  return verifyBlob({
    ...questionOf(lab, asked),
    name: 'artifact',
    digest: typeof about === 'string' ? about : computeDigest(about),
    bytes,
    evidence,
    now: () => performance.now(),
  });
}

/** Where an artifact is and how its tree is read; by default the artifact alone. */
export type Placed = Pick<VerifyArtifactOptions, 'source' | 'tagOrDigest'> &
  Partial<Pick<VerifyArtifactOptions, 'tree' | 'platform' | 'signal' | 'evidenceSource'>>;

/** The verdict on an artifact in a repository. */
export function judgeArtifact(
  lab: Pick<Lab, 'trustRoot'>,
  placed: Placed,
  asked: Asked,
): Promise<Verdict> {
  return verifyArtifact({
    ...questionOf(lab, asked),
    reference: `registry.example/app ${placed.tagOrDigest}`,
    tree: 'named',
    platform: null,
    now: () => performance.now(),
    ...placed,
  });
}
