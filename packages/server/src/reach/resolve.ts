import { TrustFault } from '@bulla/trust/fault/fault';
import type { Digest } from '@bulla/trust/oci/digest';
import type { ArtifactSource } from '@bulla/trust/oci/store';
import type { Rollback } from '@bulla/trust/policy/evaluate/rollback';
import type { Resolved } from '../decision/ask.ts';
import type { Located } from './locate.ts';
import { lastSeen, peekRollback, type TagName } from './memory.ts';
import type { TagMemory } from './ports.ts';
import { type LedTo, problemOr, type ResolveTag } from './tags.ts';

/** What tags are resolved with. */
export interface ResolveParts {
  readonly resolveTag: ResolveTag;
  readonly memory: TagMemory;
  readonly clock: () => Date;
}

/** Which tag, where it is looked up, and whether that may leave a trace. */
export interface ResolveQuestion {
  readonly located: Located;
  readonly name: TagName;
  readonly source: ArtifactSource;
  readonly dryRun: boolean;
}

/** What a tag leads to, asked once for a decision (semantics 5). Throws `storage.*`. */
export async function resolveOnce(
  parts: ResolveParts,
  question: ResolveQuestion,
): Promise<Resolved> {
  const { located, name } = question;
  if (located.kind === 'unnamed') return { problem: located.fault, remembered: null };
  const led = await ledTo(parts, located, question);
  if ('problem' in led) {
    return { problem: led.problem, remembered: await rememberedOf(parts, name, led) };
  }
  if (led.digest !== null) return { digest: led.digest };
  const says = `${name.repository}: the registry answered and has no tag ${name.tag}`;
  return { problem: new TrustFault('artifact.not-found', says), remembered: null };
}

type Led = LedTo & { readonly remembered?: Digest | null };

function ledTo(
  { resolveTag }: ResolveParts,
  located: Exclude<Located, { readonly kind: 'unnamed' }>,
  { name, source, dryRun }: ResolveQuestion,
): Promise<Led> {
  const { tag } = name;
  if (located.kind === 'own') return problemOr(() => located.place.resolve(tag, !dryRun));
  const { asked, access } = located.where;
  const { registry, repository } = asked;
  return resolveTag({ registry, repository, tag, access, source, dryRun });
}

/** In an outage the last pass of what the tag led to may stand in (semantics 3). */
async function rememberedOf(
  { memory }: ResolveParts,
  name: TagName,
  { remembered }: Led,
): Promise<Digest | null> {
  return remembered ?? lastSeen(memory, name);
}

/** Whether the tag went back, noted as the gateway notes it; of a dry run nothing is noted. */
export function rollbackOf(
  { memory, clock }: ResolveParts,
  { name, dryRun }: ResolveQuestion,
  digest: Digest,
): Promise<Rollback | null> {
  return dryRun
    ? peekRollback(memory, name, digest)
    : memory.seen(name.repository, name.tag, digest, clock());
}
