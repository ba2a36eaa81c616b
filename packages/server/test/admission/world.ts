import { createHash } from 'node:crypto';
import { ADMISSION_CONFIG, type AdmissionConfig } from '@bulla/server/admission/config';
import { admissionMetrics } from '@bulla/server/admission/metrics';
import { parseReview, type Review } from '@bulla/server/admission/parse';
import { type AdmissionParts, createAdmission } from '@bulla/server/admission/service';
import { openEpochs } from '@bulla/server/decision/epochs';
import type { MadeDecision } from '@bulla/server/decision/made';
import { openPolicies } from '@bulla/server/decision/policies';
import { createDecisions } from '@bulla/server/decision/service';
import { createMetrics } from '@bulla/server/http/metrics';
import type { AskAboutImage, Reached, ReachQuestion } from '@bulla/server/reach/question';
import { openMemory } from '@bulla/server/storage/memory/open';
import { TrustFault } from '@bulla/trust/fault/fault';
import { parseDigest } from '@bulla/trust/oci/digest';
import { canonicalName, parseReference } from '@bulla/trust/oci/reference';
import type { PolicyMode, TagRule } from '@bulla/trust/policy/document';
import { ASK, type Outcome, set, taking } from '../decision/kit.ts';
import { type KubeObject, type ReviewShape, reviewOf } from './reviews.ts';

/** What is so about an image of the world; others are signed, and policies pin their tags. */
export interface ImageFacts {
  readonly outcome?: Outcome;
  readonly mode?: PolicyMode;
  readonly tags?: TagRule;
  /** The registry never answers. */
  readonly hangs?: boolean;
  readonly fault?: TrustFault;
  /** Waits for this before it is decided. */
  readonly until?: Promise<void>;
}

/** Images, what decides about them, and the webhook before it. */
export interface World {
  readonly service: ReturnType<typeof createAdmission>;
  readonly parts: AdmissionParts;
  readonly metrics: ReturnType<typeof admissionMetrics>;
  readonly kept: MadeDecision[];
  readonly asked: ReachQuestion[];
  readonly defects: TrustFault[];
  /** How often evidence was looked at. */
  taken(): number;
  changePolicy(hash: string): Promise<void>;
  mutate(shape: ReviewShape): ReturnType<ReturnType<typeof createAdmission>['mutate']>;
  validate(shape: ReviewShape): ReturnType<ReturnType<typeof createAdmission>['validate']>;
}

/** What a test says of a world. */
export interface WorldShape {
  /** By the reference as it is written, without a digest behind it. */
  readonly images?: Readonly<Record<string, ImageFacts>>;
  readonly config?: Partial<AdmissionConfig>;
  readonly pullSecretsOf?: AdmissionParts['pullSecretsOf'];
  readonly recordFails?: boolean;
  readonly budgetMs?: number;
}

/** The digest of what a tag leads to. */
export function digestOf(reference: string): string {
  return `sha256:${createHash('sha256').update(reference).digest('hex')}`;
}

/** A review as `parseReview` reads it. */
export function parsed(shape: ReviewShape | KubeObject): Review {
  const document = 'apiVersion' in shape ? shape : reviewOf(shape as ReviewShape);
  return parseReview(Buffer.from(JSON.stringify(document)), 8 << 20);
}

/**
 * The webhook over the real service of decisions and its cache, with images that are what the test
 * says: only the look at evidence is the test's.
 */
export async function openWorld(shape: WorldShape = {}): Promise<World> {
  const { images = {}, budgetMs = 5000 } = shape;
  const store = openMemory();
  const kept: MadeDecision[] = [];
  const asked: ReachQuestion[] = [];
  const defects: TrustFault[] = [];
  const now = () => performance.now();
  const clock = () => new Date();
  let hash = 'sha256:one';
  let taken = 0;
  let ids = 0;
  const newId = () => `ID${++ids}`;
  const keep = async (made: MadeDecision) => {
    if (shape.recordFails === true) throw new TrustFault('record.unavailable', 'no space');
    kept.push(made);
  };
  const policies = await openPolicies({
    load: () => Promise.resolve({ set: set(hash), files: new Map(), warnings: [] }),
    fingerprint: () => Promise.resolve(hash),
    clock,
    changed: () => undefined,
  });
  const factsOf = (reference: string): ImageFacts => images[reference.replace(/@.*$/, '')] ?? {};
  const decisions = createDecisions({
    policies,
    epochs: openEpochs(store.registers, now),
    keep,
    repeat: () => null,
    take: async (ask, policySet) => {
      taken += 1;
      const { outcome = 'admit', mode = 'enforce', hangs = false, until } = factsOf(ask.reference);
      if (hangs) await new Promise(() => undefined);
      await until;
      const decision = taking(ask, outcome, mode, newId(), clock());
      const warnings =
        outcome === 'admit' || mode === 'enforce'
          ? []
          : [`policy p (${mode}) would refuse: signature.none`];
      return {
        decision: { ...decision, warnings, policySetHash: policySet.hash },
        cache: 'miss',
        dossier: null,
      };
    },
    limits: { entries: 10_000, passMs: 3600_000, refusalMs: 10_000 },
    newId,
    clock,
    now,
    unrecorded: () => undefined,
  });
  const ask: AskAboutImage = async (question) => {
    asked.push(question);
    const facts = factsOf(question.reference);
    if (facts.fault !== undefined) throw facts.fault;
    return reach(decisions.decide, question, facts);
  };
  const config = { ...ADMISSION_CONFIG, ...shape.config };
  const parts: AdmissionParts = {
    config,
    ask,
    again: () => null,
    pullSecretsOf: shape.pullSecretsOf ?? null,
    keep,
    newId,
    clock,
    canonicalName: nameOf,
    unrecorded: () => undefined,
    defect: (fault) => defects.push(fault),
  };
  const service = createAdmission(parts);
  const call = { remoteAddress: '127.0.0.1', userAgent: 'kube-apiserver-admission', budgetMs };
  return {
    service,
    parts,
    metrics: admissionMetrics(createMetrics()),
    kept,
    asked,
    defects,
    taken: () => taken,
    async changePolicy(next) {
      hash = next;
      await policies.check();
    },
    mutate: (review) => service.mutate(parsed(review), call),
    validate: (review) => service.validate(parsed(review), call),
  };
}

function nameOf(reference: string): string | null {
  try {
    return canonicalName(parseReference(reference));
  } catch {
    return null;
  }
}

type Decide = ReturnType<typeof createDecisions>['decide'];

async function reach(
  decide: Decide,
  question: ReachQuestion,
  { tags = 'pin', mode = 'enforce' }: ImageFacts,
): Promise<Reached> {
  const { reference, surface, namespace, actor, request, dryRun } = question;
  const [written = '', digest] = reference.split('@');
  const { tag = null } = parseReference(written) as { readonly tag?: string };
  const resolved = parseDigest(digest ?? digestOf(written), 'the test');
  const { decision, cache } = await decide({
    ...ASK,
    reference,
    repository: nameOf(written) ?? written,
    tag: digest === undefined ? (tag ?? 'latest') : null,
    resolved: { digest: resolved },
    surface,
    namespace,
    actor,
    request,
    dryRun,
  });
  return {
    decision,
    cache,
    pinned: { tagAndDigest: `${written}@${resolved}`, digest: resolved },
    byDigest: digest !== undefined,
    tags,
    enforcedTags: mode === 'enforce' ? tags : null,
  };
}
