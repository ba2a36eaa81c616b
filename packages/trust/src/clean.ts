import { asFault, quote, TrustFault } from './fault/fault.ts';
import type { Attachment } from './inventory/attached.ts';
import { isBillOfMaterials, isSignatureMaterial } from './inventory/attachment.ts';
import { type ArtifactNode, type InventoryOptions, takeInventory } from './inventory.ts';
import type { Digest } from './oci/digest.ts';
import { parseManifest } from './oci/manifest.ts';
import type { ArtifactSource, ArtifactTarget, CallOptions } from './oci/store.ts';

/** Which evidence goes: one kind of it, every referrer of whatever kind, or all. */
export type CleanType = 'signature' | 'attestation' | 'sbom' | 'referrer' | 'all';

/** What `planClean` found: what goes, in the order in which it goes, and what stays. */
export interface CleanPlan {
  /** The artifact whose evidence it is; never removed. */
  readonly artifact: Digest;
  readonly removals: readonly Attachment[];
  /** Why something that is attached stays, one sentence each. */
  readonly kept: readonly string[];
}

/** BuildKit's attestation manifests may have a subject and still be part of an index. */
const BUILDKIT = 'application/vnd.docker.attestation.manifest.v1+json';

/**
 * What of the artifact's evidence a clean of `type` removes: its own, not its children's. What is
 * attached to evidence goes before it. A manifest that the artifact itself lists stays. Throws as
 * `takeInventory`.
 */
export async function planClean(
  source: ArtifactSource,
  tagOrDigest: string,
  type: CleanType,
  options: Omit<InventoryOptions, 'children'> = {},
): Promise<CleanPlan> {
  const node = await takeInventory(source, tagOrDigest, { ...options, children: false });
  const parts = await partsOf(source, node, options);
  const kept: string[] = node.problems.map((problem) => `cannot be read: ${problem}`);
  const removals: Attachment[] = [];
  for (const attachment of node.attached.filter((entry) => isOfType(entry, type))) {
    if (parts.has(attachment.digest) || attachment.artifactType === BUILDKIT) {
      kept.push(`${attachment.digest} is part of an index`);
    } else {
      removals.push(...withAttached(attachment));
    }
  }
  return { artifact: node.digest, removals, kept };
}

async function partsOf(
  source: ArtifactSource,
  node: ArtifactNode,
  options: CallOptions,
): Promise<ReadonlySet<string>> {
  const parts = new Set<string>([node.digest]);
  const stored = node.kind === 'index' ? await source.manifest(node.digest, options) : null;
  const manifest = stored && parseManifest(stored);
  if (manifest?.kind === 'index') for (const { digest } of manifest.manifests) parts.add(digest);
  return parts;
}

function isOfType({ kind, tag }: Attachment, type: CleanType): boolean {
  if (type === 'all') return true;
  return type === 'referrer' ? tag === null : kind === type;
}

function withAttached(attachment: Attachment): readonly Attachment[] {
  return [...attachment.attached.flatMap(withAttached), attachment];
}

/** What became of one removal; `fault` is null when it is gone. */
export interface Removal {
  readonly attachment: Attachment;
  readonly fault: TrustFault | null;
}

/**
 * Carries a plan out, one removal after the other; one that fails does not keep the others. A
 * companion tag that moved since is left alone, and a manifest under one goes only when its content
 * is evidence: else its tag alone (`clean.refused` where tags cannot be deleted by themselves).
 */
export async function carryOutClean(
  target: ArtifactTarget,
  plan: CleanPlan,
  options: CallOptions = {},
): Promise<readonly Removal[]> {
  const done: Removal[] = [];
  for (const attachment of plan.removals) {
    try {
      if (attachment.tag === null) await target.deleteManifest(attachment.digest, options);
      else await removeCompanion(target, attachment.digest, attachment.tag, options);
      done.push({ attachment, fault: null });
    } catch (error) {
      const fault = asFault(error);
      if (fault.code === 'internal.defect') throw fault;
      done.push({ attachment, fault });
    }
  }
  return done;
}

async function removeCompanion(
  target: ArtifactTarget,
  digest: Digest,
  tag: string,
  options: CallOptions,
): Promise<void> {
  const stored = await target.manifest(tag, options);
  if (stored === null) return;
  if (stored.digest !== digest) {
    throw new TrustFault('clean.refused', `${target.name}:${tag} has moved to ${stored.digest}`);
  }
  if (isEvidence(stored)) {
    await target.deleteManifest(digest, options);
    // Most registries drop the tags of a deleted manifest; the specification does not demand it.
    if ((await target.resolve(tag, options)) !== null) await target.deleteTag(tag, options);
    return;
  }
  try {
    await target.deleteTag(tag, options);
  } catch (cause) {
    if (!(cause instanceof TrustFault) || cause.code !== 'registry.unsupported') throw cause;
    const says = `${target.name}:${tag} holds no evidence, and tag ${quote(tag)} cannot be deleted alone`;
    throw new TrustFault('clean.refused', says, undefined, { cause });
  }
}

/** Semantics 15: signature material is told by content, never by the tag under which it lies. */
function isEvidence(stored: Parameters<typeof parseManifest>[0]): boolean {
  try {
    const manifest = parseManifest(stored);
    return isSignatureMaterial(manifest) || isBillOfMaterials(manifest);
  } catch (error) {
    if (error instanceof TrustFault) return false;
    throw error;
  }
}
