import type { AskAboutImage, Reached, ReachQuestion } from '@bulla/server/reach/question';
import { failed, passed } from '@bulla/trust/finding/finding';
import { computeDigest } from '@bulla/trust/oci/digest';
import type { Decision } from '@bulla/trust/policy/decision';
import type { TagRule } from '@bulla/trust/policy/document';

export const DIGEST = computeDigest(Buffer.from('image'));
export const ID = '01M7Z8DTPT3JWJQ7N2G15TMRNQ';

/** How the images of the tests are decided about. */
export interface Told {
  readonly outcome?: 'admit' | 'deny';
  readonly enforcedTags?: TagRule | null;
  readonly tags?: TagRule;
  readonly digest?: string | null;
}

/** The answer to a question, as `reach` gives it. */
export function reached({ reference, surface, namespace }: ReachQuestion, told: Told): Reached {
  const { outcome = 'admit', tags = 'pin', enforcedTags = 'pin', digest = DIGEST } = told;
  const finding =
    outcome === 'admit'
      ? passed('policy.prod', 'signed')
      : failed('signed', 'signature.none', 'no signature');
  const effect = outcome === 'admit' ? 'pass' : 'deny';
  const decision: Decision = {
    id: ID,
    outcome,
    reference,
    repository: 'registry.example/app',
    tag: null,
    digest,
    covers: [],
    surface,
    namespace,
    environment: null,
    policies: [{ policy: 'prod', hash: 'sha256:1', mode: 'enforce', finding, effect }],
    finding,
    warnings: outcome === 'admit' ? ['policy dev: not signed by qa'] : [],
    exceptions: [],
    policySetHash: 'sha256:1',
    trustRootVersion: 'none',
    evidence: [],
    validUntil: null,
    at: new Date(0),
    durationMs: 1,
  };
  const name = reference.replace(/@.*$/, '');
  return {
    decision,
    cache: 'miss',
    pinned: digest === null ? null : { tagAndDigest: `${name}@${digest}`, digest },
    byDigest: reference.includes('@'),
    tags,
    enforcedTags,
  };
}

/** `reach` of a server, in memory; it remembers what it was asked. */
export function askOf(
  tell: (question: ReachQuestion) => Told | Promise<Told>,
): AskAboutImage & { readonly asked: ReachQuestion[] } {
  const asked: ReachQuestion[] = [];
  const ask: AskAboutImage = async (question) => {
    asked.push(question);
    return reached(question, await tell(question));
  };
  return Object.assign(ask, { asked });
}
