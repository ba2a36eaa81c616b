import { randomBytes } from 'node:crypto';
import { dirname, isAbsolute, join } from 'node:path';
import { decide, decideFromDossier } from '@bulla/trust/decide';
import { newDecisionId } from '@bulla/trust/decide/decision-id';
import { asFault, TrustFault } from '@bulla/trust/fault/fault';
import { type Digest, isDigest } from '@bulla/trust/oci/digest';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference, type Reference, tagOrDigest } from '@bulla/trust/oci/reference';
import type { ArtifactSource } from '@bulla/trust/oci/store';
import type { PolicyCase } from '@bulla/trust/policy/cases/document';
import type { Decision } from '@bulla/trust/policy/decision';
import type { GivenException } from '@bulla/trust/policy/exceptions/document';
import type { ExpressionRunner } from '@bulla/trust/policy/expression';
import { canonicalName } from '@bulla/trust/policy/names';
import type { PolicySet } from '@bulla/trust/policy/policy-set';
import type { CliContext } from '../../context.ts';
import { storedDossier } from '../../options/dossiers.ts';
import { namedExceptions } from '../../options/exceptions.ts';
import { type RegistryFlags, registryOptions } from '../../options/registry.ts';
import { workSignal } from '../../options/work-signal.ts';

/** What the cases of one file are decided by. */
export interface CaseGround {
  /** The file of the cases: what they name is relative to it. */
  readonly file: string;
  readonly policies: PolicySet;
  readonly expressions: () => ExpressionRunner;
  readonly flags: RegistryFlags;
  readonly context: CliContext;
}

/**
 * What the policies decide about a case. Nothing is fetched for one that is about stored evidence.
 * Throws for what the case names wrongly: `usage.file`, `exception.malformed`, `dossier.malformed`, `layout.*`.
 */
export async function decideCase(test: PolicyCase, ground: CaseGround): Promise<Decision> {
  const { context, flags, policies, expressions } = ground;
  const { subject } = test;
  const text = test.as ?? (subject.kind === 'image' ? subject.reference : '');
  const seen = parseReference(text);
  const at = test.at ?? context.clock();
  const exceptions = await exceptionsOf(test, ground);
  const question = {
    id: newDecisionId(at, randomBytes(10)),
    reference: text,
    scope: {
      repository: canonicalName(seen, []),
      surface: test.surface,
      namespace: test.namespace,
      environment: test.environment,
    },
    tag: seen.digest === undefined ? tagOrDigest(seen) : null,
    policies,
    expressions,
    lastPass: async () => null,
    rollback: test.rollback,
    exceptions: async () => exceptions,
    at,
    now: context.now,
  };
  if (subject.kind === 'dossier') {
    const path = beside(ground.file, subject.file);
    const asked = {
      path,
      digest: subject.digest ?? seen.digest ?? null,
      repository: canonicalName(seen, []),
    };
    return decideFromDossier({ ...question, dossier: await storedDossier(asked, context) });
  }
  const place = placeOf(parseReference(subject.reference), ground.file);
  const source = await openStore(place, registryOptions(flags, context));
  const signal = workSignal(flags, context);
  const found = await resolved(source, place, signal);
  if (seen.digest !== undefined && found.digest !== null && found.digest !== seen.digest) {
    const says = `the image is ${found.digest}, and the policies are to see ${seen.digest}`;
    throw new TrustFault('usage.invalid', says, 'Correct one of the two, or name a tag in `as`.');
  }
  const { platform } = test;
  const decided = await decide({ ...question, ...found, source, platform, parents: [], signal });
  return decided.decision;
}

/** What cannot be read is a mistake of the file, and no outage that lifts nothing. */
function exceptionsOf(
  { exceptions }: PolicyCase,
  { file, context }: CaseGround,
): Promise<readonly GivenException[]> {
  return namedExceptions({ exception: exceptions.map((path) => beside(file, path)) }, context);
}

/** A layout lies relative to the file that names it. */
function placeOf(reference: Reference, file: string): Reference {
  return reference.kind === 'layout'
    ? { ...reference, path: beside(file, reference.path) }
    : reference;
}

/** A path that a file names, from where the command runs. */
export function beside(file: string, path: string): string {
  return isAbsolute(path) ? path : join(dirname(file), path);
}

/** The policies see another reference than the source, which is therefore asked here. */
async function resolved(
  source: ArtifactSource,
  place: Reference,
  signal: AbortSignal,
): Promise<{
  readonly digest: Digest | null;
  readonly problem: { readonly fault: TrustFault; readonly remembered: null } | null;
}> {
  const named = tagOrDigest(place);
  if (isDigest(named)) return { digest: named, problem: null };
  try {
    const found = await source.resolve(named, { signal });
    if (found !== null) return { digest: found.digest, problem: null };
    const says = `${source.name} answered and has no ${named}`;
    return {
      digest: null,
      problem: { fault: new TrustFault('artifact.not-found', says), remembered: null },
    };
  } catch (error) {
    // A layout that cannot be read is no outage: it lies beside the file that names it.
    if (place.kind === 'layout') throw error;
    return { digest: null, problem: { fault: asFault(error), remembered: null } };
  }
}
