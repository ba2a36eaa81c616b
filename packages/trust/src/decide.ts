import { gatherAhead } from './decide/ahead.ts';
import type { Dossier } from './decide/dossier.ts';
import {
  dossierMaterial,
  type RecordedMaterial,
  recordedMaterial,
} from './decide/dossier-material.ts';
import { type Material, sourceMaterial } from './decide/material.ts';
import {
  type DecisionQuestion,
  isCovered,
  type Subject,
  takeDecision,
  uncovered,
} from './decide/take.ts';
import { printable, TrustFault } from './fault/fault.ts';
import { type Finding, failed, inconclusive } from './finding/finding.ts';
import type { Digest } from './oci/digest.ts';
import { parseManifest, runnableChildren } from './oci/manifest.ts';
import type { ArtifactSource, CallOptions, StoredManifest } from './oci/store.ts';
import type { Decision } from './policy/decision.ts';
import { findProblem } from './proof/gather.ts';
import { fetchManifest } from './verify/fetch.ts';
import { chooseChild, requirePlatform } from './verify/platform.ts';

/** A door could not resolve the tag: why, and what it led to before. */
export interface ResolveProblem {
  readonly fault: TrustFault;
  /** Stands in for the digest only where a policy's `lastKnownGood` allows it. */
  readonly remembered: Digest | null;
}

/** A question to the policies about one image. */
export interface DecideOptions extends DecisionQuestion {
  /** What the tag led to when the door resolved it; null has it resolved here, once. */
  readonly digest: Digest | null;
  readonly source: ArtifactSource;
  /** `os/architecture[/variant]`: the one leaf that matters; null for the whole tree. */
  readonly platform: string | null;
  /** Indexes of the same repository that list the digest, newest first. */
  readonly parents: readonly Digest[];
  /** Null where the digest is at hand, or the source is to be asked. */
  readonly problem: ResolveProblem | null;
  readonly signal?: AbortSignal;
}

/** What a door gets: its answer, and all evidence that the answer stands on. */
export interface Decided {
  readonly decision: Decision;
  readonly dossier: Dossier;
}

/**
 * Decides about one image by all policies that cover it. A tag is resolved once; the decision, its
 * evidence and its digest are about the bytes that this fetched (semantics 5). A source that no policy
 * covers is not asked. A tag that led nowhere is admitted, without a digest, by policies alone that
 * warn or audit. What an image or a registry does never makes it throw; `usage.invalid` when neither
 * tag nor digest nor problem is given.
 */
export async function decide(options: DecideOptions): Promise<Decided> {
  const started = options.now();
  const call = options.signal === undefined ? {} : { signal: options.signal };
  const asked = sourceMaterial(options.source, call);
  const material = recordedMaterial(asked);
  const ahead = lookAhead(options, asked);
  const subject = await subjectOf(options, material, call);
  await ahead;
  const decision = await takeDecision(options, subject, material, started);
  const { root, digest, parents } = subject;
  const dossier: Dossier = {
    source: options.source.name,
    root: digest,
    problem: 'outcome' in root ? root : null,
    parents,
    nodes: material.nodes(),
  };
  return { decision, dossier };
}

/** By its digest an image and what is about it are asked for at the same time. */
function lookAhead({ digest, platform, policies, scope }: DecideOptions, asked: Material) {
  if (digest === null || platform !== null) return Promise.resolve();
  const covering = policies.policies.filter((policy) => policy.covers(scope));
  return gatherAhead(asked, digest, covering);
}

/** A question that stored evidence is to answer. */
export interface DecideFromDossierOptions extends DecisionQuestion {
  readonly dossier: Dossier;
}

/**
 * Decides from what an earlier decision looked at, and touches nothing else. What the dossier never
 * gathered is inconclusive (`dossier.incomplete`): it was taken for other policies.
 */
export async function decideFromDossier(options: DecideFromDossierOptions): Promise<Decision> {
  const started = options.now();
  const { dossier } = options;
  const material = dossierMaterial(dossier);
  const { root: digest, parents } = dossier;
  const root = problemOf(dossier) ?? (await heldRoot(dossier, material));
  return takeDecision(options, { root, digest, remembered: null, parents }, material, started);
}

/** What no policy covered was not looked at (semantics 19), so there is nothing to decide from. */
function problemOf({ problem, source }: Dossier): Finding | null {
  if (problem?.code !== 'policy.none' && problem?.code !== 'policy.no-match') return problem;
  const says = `no policy covered the image when it was decided about, so nothing of ${source} was stored`;
  return inconclusive('artifact', 'dossier.incomplete', says);
}

async function heldRoot({ root }: Dossier, material: Material): Promise<StoredManifest | Finding> {
  const stored = root === null ? null : await material.node(root);
  if (stored !== null) return stored;
  throw new TrustFault('dossier.malformed', 'expected the root or why it was not at hand');
}

async function subjectOf(
  options: DecideOptions,
  material: RecordedMaterial,
  call: CallOptions,
): Promise<Subject> {
  const { digest, tag, problem, parents } = options;
  // Semantics 19: a host that no policy names is not asked.
  if (!isCovered(options)) {
    const root = uncovered(options.policies, options.scope);
    return { root, digest, remembered: null, parents: [] };
  }
  if (digest === null && problem !== null) {
    const root = findProblem('artifact', problem.fault);
    return { root, digest: null, remembered: problem.remembered, parents: [] };
  }
  if (digest === null && tag === null) {
    throw new TrustFault('usage.invalid', 'a decision needs a tag or a digest');
  }
  const root = await fetchRoot(options, material, call);
  if ('outcome' in root) return { root, digest, remembered: null, parents };
  material.keep(root);
  const whole = { root, digest: root.digest, remembered: null, parents };
  if (options.platform === null) return whole;
  try {
    return await choosePlatform(root, options.platform, whole, options.source, material, call);
  } catch (error) {
    return { ...whole, root: findProblem('artifact', error) };
  }
}

async function fetchRoot(
  { digest, tag, source }: DecideOptions,
  material: Material,
  call: CallOptions,
): Promise<StoredManifest | Finding> {
  try {
    const stored =
      digest === null ? await fetchManifest(source, tag ?? '', call) : await material.node(digest);
    if (stored !== null) return stored;
    const says = `${source.name} answered and has no ${printable(digest ?? tag ?? '')}`;
    return failed('artifact', 'artifact.not-found', says);
  } catch (error) {
    return findProblem('artifact', error);
  }
}

/** The chosen leaf of an index is what is decided about, with that index as its parent. */
async function choosePlatform(
  root: StoredManifest,
  platform: string,
  whole: Subject,
  source: ArtifactSource,
  material: Material,
  call: CallOptions,
): Promise<Subject> {
  const manifest = parseManifest(root);
  if (manifest.kind !== 'index') {
    await requirePlatform(source, manifest, platform, call);
    return whole;
  }
  const { digest } = chooseChild(runnableChildren(manifest), platform);
  const leaf = await material.node(digest);
  const says = `${source.name} lacks the leaf ${digest}`;
  const chosen = leaf ?? failed('artifact', 'artifact.not-found', says);
  return { ...whole, root: chosen, digest, parents: [root.digest, ...whole.parents] };
}
