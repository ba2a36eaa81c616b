import { printable, TrustFault } from './fault/fault.ts';
import { type Finding, failed } from './finding/finding.ts';
import type { Verdict } from './finding/verdict.ts';
import type { Descriptor } from './oci/descriptor.ts';
import type { Digest } from './oci/digest.ts';
import { parseManifest, runnableChildren } from './oci/manifest.ts';
import type { ArtifactSource, StoredManifest } from './oci/store.ts';
import type { TreeMode } from './policy/document.ts';
import { earliestOf, judgeAttested } from './policy/evaluate/attested.ts';
import { whereCondition } from './policy/evaluate/conditions/where.ts';
import { type Gathered, type Judged, provenOf } from './policy/evaluate/proven.ts';
import { judgeSigned } from './policy/evaluate/signed.ts';
import { childrenOf, judgeTree } from './policy/evaluate/tree.ts';
import type { ExpressionRunner } from './policy/expression.ts';
import type { Authority } from './proof/authority.ts';
import type { AuthorityAnswer, Evidence, Question, Wanted } from './proof/evidence.ts';
import { findProblem } from './proof/gather.ts';
import type { ProofRequirements } from './proof/requirements.ts';
import { fetchManifest } from './verify/fetch.ts';
import { answerAll, gather, type Patience } from './verify/gather.ts';
import { chooseChild, requirePlatform } from './verify/platform.ts';

/** An expression on the deciding statement (`--where`). */
export interface StatementCondition {
  readonly expression: string;
  readonly runner: ExpressionRunner;
  readonly deadlineMs: number;
}

/** What is asked, of an image or of a file alike. */
export interface VerifyQuestion {
  readonly authorities: readonly Authority[];
  /** How many distinct authorities must stand behind it; at least 1. */
  readonly atLeast: number;
  readonly wanted: Wanted;
  /** An expression on the attested statement; null when none was given. */
  readonly condition: StatementCondition | null;
  readonly requirements: ProofRequirements;
}

/** An artifact in a registry or a layout, and how its tree is to be read. */
export interface VerifyArtifactOptions extends VerifyQuestion {
  /** The reference as the user gave it. */
  readonly reference: string;
  readonly source: ArtifactSource;
  readonly tagOrDigest: string;
  readonly tree: TreeMode;
  /** `os/architecture[/variant]`: the one leaf that matters. */
  readonly platform: string | null;
  readonly evidenceSource?: ArtifactSource;
  readonly signal?: AbortSignal;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

/**
 * The verdict on one artifact in a registry or layout. The tag is resolved once; every finding,
 * digest and piece of evidence in the verdict is about the manifest bytes that this fetched.
 * Throws only for wrong use: `policy.threshold-invalid`, `policy.nothing-checked`.
 */
export async function verifyArtifact(options: VerifyArtifactOptions): Promise<Verdict> {
  checkQuestion(options);
  const started = options.now();
  const base = verdictBase(options);
  const finish = (digest: string | null, outcome: Outcome): Verdict => ({
    ...base,
    artifact: digest === null ? options.reference : `${options.source.name}@${digest}`,
    digest,
    covers: outcome.covers,
    finding: outcome.finding,
    evidence: outcome.evidence,
    validUntil: earliest(outcome.accepted),
    durationMs: options.now() - started,
  });
  const fetched = await fetchNamed(options);
  if ('outcome' in fetched) return finish(null, { ...NOTHING, finding: fetched });
  const seen = new Set<string>();
  const patience: Patience = { now: options.now, leftMs: MAX_VERIFICATION_MS };
  try {
    const { named, only } = await choosePlatform(fetched, options);
    const judged = await judgeTree<StoredManifest>(
      named,
      {
        mode: options.tree,
        children: childrenOf,
        fetch: (digest) => fetchManifest(options.source, digest, callOptions(options)),
        judge: (node) => judgeNode(node, options, patience, seen),
      },
      only,
    );
    return finish(only?.digest ?? named.digest, { ...judged, evidence: [...seen] });
  } catch (error) {
    return finish(fetched.digest, { ...NOTHING, finding: findProblem('artifact', error) });
  }
}

/** Garbage can be made to cost a second a piece, and there may be thousands of pieces. */
const MAX_VERIFICATION_MS = 120_000;

interface Outcome extends Judged {
  readonly covers: readonly string[];
  readonly evidence: readonly string[];
}

const NOTHING = { covers: [], evidence: [], accepted: [] } as const;

/** A file, or the digest of one, with evidence that the caller brings. */
export interface VerifyBlobOptions extends VerifyQuestion {
  readonly name: string;
  readonly digest: Digest;
  /** The content; null when only the digest is at hand. */
  readonly bytes: Uint8Array | null;
  readonly evidence: readonly Evidence[];
  readonly now: () => number;
}

/** The verdict on one file by the evidence that came with it. Throws as `verifyArtifact`. */
export async function verifyBlob(options: VerifyBlobOptions): Promise<Verdict> {
  checkQuestion(options);
  const started = options.now();
  const question: Question = {
    artifact: { digest: options.digest, bytes: options.bytes },
    wanted: options.wanted,
    authorities: options.authorities,
    requirements: options.requirements,
  };
  const answers = await answerAll(options.evidence, question);
  const gathered: Gathered = { answers, evidence: options.evidence, problems: [] };
  const judged = await judge(options.name, gathered, question, options);
  return {
    ...verdictBase({ ...options, reference: options.name }),
    artifact:
      options.name === options.digest ? options.digest : `${options.name} ${options.digest}`,
    digest: options.digest,
    covers: [],
    finding: judged.finding,
    evidence: options.evidence.map((piece) => piece.digest),
    validUntil: earliest(judged.accepted),
    durationMs: options.now() - started,
  };
}

/** Nothing is never enough (semantics 1): wrong use is told before any work. */
function checkQuestion({ authorities, atLeast }: VerifyQuestion): void {
  if (authorities.length === 0) {
    throw new TrustFault('policy.nothing-checked', 'no key and no identity was named');
  }
  if (!Number.isInteger(atLeast) || atLeast < 1 || atLeast > authorities.length) {
    throw new TrustFault(
      'policy.threshold-invalid',
      `expected at least 1 and at most ${authorities.length} authorities, found ${atLeast}`,
    );
  }
}

function verdictBase(options: VerifyQuestion & { readonly reference: string }) {
  const { trustRoot, at } = options.requirements;
  return {
    reference: options.reference,
    trustRoot: trustRoot === null ? null : `${trustRoot.name} ${trustRoot.digest}`,
    at,
  };
}

function callOptions(options: VerifyArtifactOptions): { readonly signal?: AbortSignal } {
  return options.signal === undefined ? {} : { signal: options.signal };
}

async function fetchNamed(options: VerifyArtifactOptions): Promise<StoredManifest | Finding> {
  try {
    const stored = await fetchManifest(options.source, options.tagOrDigest, callOptions(options));
    if (stored !== null) return stored;
    const says = `${options.source.name} answered and has no ${printable(options.tagOrDigest)}`;
    return failed('artifact', 'artifact.not-found', says);
  } catch (error) {
    return findProblem('artifact', error);
  }
}

/** With `named`, the chosen platform is the artifact; otherwise it narrows the tree's leaves. */
async function choosePlatform(
  root: StoredManifest,
  options: VerifyArtifactOptions,
): Promise<{ readonly named: StoredManifest; readonly only: Descriptor | null }> {
  const { platform, tree, source } = options;
  if (platform === null) return { named: root, only: null };
  const manifest = parseManifest(root);
  if (manifest.kind !== 'index') {
    await requirePlatform(source, manifest, platform, callOptions(options));
    return { named: root, only: null };
  }
  const only = chooseChild(runnableChildren(manifest), platform);
  if (tree !== 'named') return { named: root, only };
  const leaf = await fetchManifest(source, only.digest, callOptions(options));
  if (leaf === null) {
    throw new TrustFault('artifact.not-found', `${source.name} lacks the leaf ${only.digest}`);
  }
  return { named: leaf, only: null };
}

async function judgeNode(
  node: StoredManifest,
  options: VerifyArtifactOptions,
  patience: Patience,
  seen: Set<string>,
): Promise<Judged> {
  const question: Question = {
    artifact: { digest: node.digest, bytes: node.bytes },
    wanted: options.wanted,
    authorities: options.authorities,
    requirements: options.requirements,
  };
  const { evidenceSource } = options;
  const gathered = await gather(options.source, question, {
    ...callOptions(options),
    patience,
    ...(evidenceSource === undefined ? {} : { evidenceSource }),
  });
  for (const piece of gathered.evidence) seen.add(piece.digest);
  return judge(node.digest, gathered, question, options);
}

function judge(
  subject: string,
  gathered: Gathered,
  question: Question,
  { atLeast, condition }: VerifyQuestion,
): Judged | Promise<Judged> {
  const proven = provenOf(gathered, question);
  const { wanted } = question;
  if (wanted.kind === 'signature') return judgeSigned(subject, proven, atLeast);
  const conditions =
    condition === null ? [] : [whereCondition({ ...condition, runner: () => condition.runner })];
  const { predicateType } = wanted;
  return judgeAttested(subject, proven, { predicateType, atLeast, conditions, time: 'trusted' });
}

function earliest(accepted: readonly AuthorityAnswer[]): Date | null {
  return earliestOf(accepted.map(({ validUntil }) => validUntil));
}
