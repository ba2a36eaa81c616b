import { TrustFault } from '@bulla/trust/fault/fault';
import type { Digest } from '@bulla/trust/oci/digest';
import type { ArtifactSource } from '@bulla/trust/oci/store';
import type { Recent } from '../bounds/recent.ts';
import type { Answered, Ask, Resolved } from '../decision/ask.ts';
import type { RequestFacts } from '../decision/made.ts';
import type { Principal } from '../http/principal.ts';
import { isIndexRecord } from './cells.ts';
import type { Content } from './contents.ts';
import type { Ground } from './ground.ts';
import { holdersOf, PARENTS_MOST } from './listings.ts';
import { localSource } from './local-source.ts';
import { unknownManifest } from './manifests.ts';
import { isMaterial } from './material.ts';
import { materialView } from './material-view.ts';
import type { Reference } from './names.ts';
import { isUpstream, type Place } from './place.ts';
import type { GatewayPorts, Verification } from './ports.ts';
import { readTagCell } from './tags.ts';
import type { Upstreams } from './upstream/open.ts';
import { noteUse } from './upstream/use.ts';

/** What pulls stand on. */
export interface PullParts {
  readonly ground: Ground;
  readonly ports: GatewayPorts;
  readonly upstreams: Upstreams;
  /** Manifests that were admitted of late, by `admittedKey`: their blobs are what is pulled next. */
  readonly admitted: Recent<true>;
}

/** By what an admitted manifest is remembered. */
export function admittedKey(place: Place, manifest: Digest): string {
  return `${place.key}@${manifest}`;
}

/** Who pulls; their right to the repository was checked before. */
export interface Caller {
  readonly principal: Principal;
  readonly facts: RequestFacts;
}

/** A manifest that may be served, or a refusal; neither says more than the caller may know. */
export type Pulled =
  | {
      readonly kind: 'served';
      readonly content: Content;
      /** Null for what needs none: an open gateway, signature material, a sign read. */
      readonly answered: Answered | null;
    }
  | {
      readonly kind: 'refused';
      readonly answered: Answered;
      /** Why the upstream could not say what the tag leads to, when that is what was refused. */
      readonly problem: TrustFault | null;
    };

/**
 * The manifest behind a tag or a digest, admitted before a byte of it is served. The tag is resolved
 * once, and the bytes that are served are those of the digest that the decision names (semantics 5).
 * Throws `gateway.name-unknown`, `gateway.manifest-unknown`, `upstream.*`, `record.unavailable`.
 */
export async function pullManifest(
  parts: PullParts,
  place: Place,
  reference: Reference,
  caller: Caller,
): Promise<Pulled> {
  const { verification } = parts.ports;
  const resolved = await resolve(parts, place, reference);
  if ('problem' in resolved) {
    if (verification.kind === 'open') throw resolved.problem;
    return decideOn(parts, verification, { place, reference, resolved, caller });
  }
  const content = await usedContent(parts, place, resolved.digest);
  if (content === null) throw await unknownManifest(parts.ground, place.key, reference);
  if (verification.kind === 'open' || (await isContentMaterial(parts, place, content))) {
    return { kind: 'served', content, answered: null };
  }
  if (parts.ports.access.may(caller.principal, place.name, 'sign')) {
    await verification.noteSignRead({
      actor: caller.principal,
      request: caller.facts,
      repository: place.canonical,
      tag: 'tag' in reference ? reference.tag : null,
      digest: content.digest,
      at: parts.ground.clock(),
    });
    return { kind: 'served', content, answered: null };
  }
  return decideOn(parts, verification, { place, reference, resolved, caller });
}

async function resolve(parts: PullParts, place: Place, reference: Reference): Promise<Resolved> {
  if ('digest' in reference) return reference;
  const { ground, upstreams } = parts;
  const { tag } = reference;
  if (isUpstream(place)) {
    const found = await upstreams.resolveTag(place, tag);
    if ('problem' in found) return found;
    if (found.digest !== null) return { digest: found.digest };
  } else {
    const digest = await readTagCell(ground, place.key, tag);
    if (digest !== null) return { digest };
  }
  throw await unknownManifest(ground, place.key, reference);
}

/** A manifest of a place, fetched where that is needed. Null when it is not there. */
export async function contentOf(
  { ground, upstreams }: Pick<PullParts, 'ground' | 'upstreams'>,
  place: Place,
  digest: Digest,
): Promise<Content | null> {
  return isUpstream(place)
    ? upstreams.manifest(place, digest)
    : ground.contents.load(place.key, digest);
}

/**
 * The same for somebody who uses it, which is noted of an upstream's: when this has resolved, no
 * collection takes it out for as long as is configured. What one took out at this very moment is
 * fetched again.
 */
export async function usedContent(
  parts: Pick<PullParts, 'ground' | 'upstreams'>,
  place: Place,
  digest: Digest,
): Promise<Content | null> {
  for (let attempt = 0; attempt < FETCHES_MOST; attempt++) {
    const content = await contentOf(parts, place, digest);
    if (content === null || !isUpstream(place)) return content;
    if (await noteUse(parts.ground, place.key, content)) return content;
    parts.ground.contents.forget(place.key, [digest]);
  }
  throw new TrustFault('storage.failed', `${digest} is taken out of the store again and again`);
}

/** Whether a manifest is signature material (semantics 15); found out once for each look at it. */
export function isContentMaterial(
  parts: Pick<PullParts, 'ground' | 'upstreams'>,
  place: Place,
  content: Content,
): Promise<boolean> {
  const { memo } = content;
  if (memo.isMaterial !== undefined) return memo.isMaterial;
  const found = isMaterial(content, materialView(parts, place));
  memo.isMaterial = found;
  // A failure to look is not remembered.
  found.catch(() => delete memo.isMaterial);
  return found;
}

const FETCHES_MOST = 4;

interface Question {
  readonly place: Place;
  readonly reference: Reference;
  readonly resolved: Resolved;
  readonly caller: Caller;
}

async function decideOn(
  parts: PullParts,
  verification: Extract<Verification, { readonly kind: 'policies' }>,
  question: Question,
): Promise<Pulled> {
  const { place, resolved } = question;
  const answered = await verification.decide(await askOf(parts, question));
  const { outcome, digest } = answered.decision;
  const problem = 'problem' in resolved ? resolved.problem : null;
  // Policies that only warn or record admit also what nobody could resolve: there is nothing to give.
  const isNothing = problem !== null && digest === null;
  if (outcome !== 'admit' || isNothing) return { kind: 'refused', answered, problem };
  const wanted = 'problem' in resolved ? resolved.remembered : resolved.digest;
  // An admitted parent names what it covers; a decision about anything else admits nothing here.
  const isAboutThis = digest === wanted || answered.decision.covers.includes(wanted ?? '');
  const content = wanted === null || !isAboutThis ? null : await usedContent(parts, place, wanted);
  if (content === null) {
    const says = `decision ${answered.decision.id} admits ${digest}, not ${wanted}`;
    throw new TrustFault('internal.defect', says);
  }
  parts.admitted.set(admittedKey(place, content.digest), true);
  return { kind: 'served', content, answered };
}

async function askOf(parts: PullParts, question: Question): Promise<Ask> {
  const { place, reference, resolved, caller } = question;
  const { ground, ports } = parts;
  const tag = 'tag' in reference ? reference.tag : null;
  const digest = 'digest' in resolved ? resolved.digest : null;
  // What the tag led to before may stand in, and may itself be what came back.
  const led = 'problem' in resolved ? resolved.remembered : resolved.digest;
  const named = 'tag' in reference ? `:${reference.tag}` : `@${reference.digest}`;
  return {
    reference: `${ground.config.registry}/${place.name}${named}`,
    repository: place.canonical,
    tag,
    resolved,
    parents: tag === null && digest !== null ? await parentsOf(parts, place, digest) : [],
    rollback:
      tag === null || led === null
        ? null
        : await ports.history.seen(place.canonical, tag, led, ground.clock()),
    source: sourceOf(parts, place),
    surface: 'pull',
    namespace: null,
    actor: caller.principal,
    request: caller.facts,
  };
}

/** Where a decision looks for a place's evidence. */
export function sourceOf(
  { ground, upstreams }: Pick<PullParts, 'ground' | 'upstreams'>,
  place: Place,
): ArtifactSource {
  return isUpstream(place) ? upstreams.source(place) : localSource(ground, place);
}

/** The indexes of the place whose bytes list the digest, newest first (semantics 6). */
export async function parentsOf(
  { ground }: Pick<PullParts, 'ground'>,
  place: Place,
  digest: Digest,
): Promise<readonly Digest[]> {
  const content = await ground.contents.load(place.key, digest);
  if (content === null) return [];
  content.memo.holders ??= holdersOf(ground, place.key, digest);
  const { memo } = content;
  memo.holders?.catch(() => delete memo.holders);
  const parents: Digest[] = [];
  for (const { manifest } of (await memo.holders) ?? []) {
    if (parents.length === PARENTS_MOST) break;
    const holder = await ground.contents.load(place.key, manifest);
    if (holder !== null && isIndexRecord(holder.record)) parents.push(manifest);
  }
  return parents;
}

/** Decides about a manifest by its digest, as for one that is asked for by it. */
export async function isAdmitted(
  parts: PullParts,
  place: Place,
  digest: Digest,
  caller: Caller,
): Promise<boolean> {
  const { verification } = parts.ports;
  if (verification.kind === 'open') return true;
  const question = { place, reference: { digest }, resolved: { digest }, caller };
  return (await decideOn(parts, verification, question)).kind === 'served';
}
