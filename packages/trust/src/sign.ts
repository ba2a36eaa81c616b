import { COSIGN_SIGN_PREDICATE, predicateTypeOf } from './claims/predicate-type.ts';
import { buildStatement } from './claims/statement.ts';
import { TrustFault } from './fault/fault.ts';
import { attachLegacy } from './formats/cosign-legacy/attach.ts';
import { companionTag } from './formats/cosign-legacy/layer.ts';
import { signLegacy } from './formats/cosign-legacy/sign.ts';
import { attachBundle } from './formats/sigstore-bundle/attach.ts';
import { signStatement, signStatementBundle } from './formats/sigstore-bundle/sign.ts';
import type { Digest } from './oci/digest.ts';
import type { ArtifactTarget, StoredManifest } from './oci/store.ts';
import { childrenOf } from './policy/evaluate/tree.ts';
import type { Evidence, FormatName, Wanted } from './proof/evidence.ts';
import { bundleEvidence } from './sign/blob.ts';
import { mustBeServed, mustVerify, type SigningContext } from './sign/check.ts';
import { fetchManifest } from './verify/fetch.ts';

/** An artifact to be signed in place, or for its bundle alone. */
export interface SignArtifactOptions extends SigningContext {
  readonly target: ArtifactTarget;
  /** Another repository for the signatures (cosign's `COSIGN_REPOSITORY`). */
  readonly evidenceTarget?: ArtifactTarget;
  readonly tagOrDigest: string;
  /** `registry/repository`, which legacy payloads name. */
  readonly dockerReference: string;
  readonly formats: readonly FormatName[];
  readonly annotations: Readonly<Record<string, string>>;
  /** Whether the runnable children of an index are signed too. */
  readonly recursive: boolean;
  /** Whether signatures are pushed; otherwise they are only returned. */
  readonly upload: boolean;
}

/** One signature that was made, verified, and (when asked) verified again as it is served. */
export interface SignedDocument {
  readonly subject: Digest;
  readonly format: FormatName;
  /** The bundle, or the legacy payload. */
  readonly bytes: Uint8Array;
  /** Digest of the manifest that holds it, null when it was not pushed. */
  readonly stored: Digest | null;
  /** The companion tag of the legacy format; null for a referrer. */
  readonly tag: string | null;
}

/**
 * Signs the digest behind a tag or digest in each format, and with `recursive` each runnable child
 * first. Every signature is verified before it leaves and again as the registry serves it; throws
 * `sign.not-verified` when it does not verify, `artifact.not-found` when there is nothing to sign.
 */
export async function signArtifact(
  options: SignArtifactOptions,
): Promise<readonly SignedDocument[]> {
  const root = await mustFetch(options, options.tagOrDigest);
  const nodes = options.recursive ? await withChildren(options, root, 0) : [root];
  const signed: SignedDocument[] = [];
  // Children first: an index that is signed never has unsigned leaves.
  for (const node of nodes) {
    for (const format of options.formats) signed.push(await signNode(options, node, format));
  }
  return signed;
}

async function mustFetch(
  { target, signal }: Pick<SignArtifactOptions, 'target' | 'signal'>,
  tagOrDigest: string,
): Promise<StoredManifest> {
  const stored = await fetchManifest(target, tagOrDigest, signal === undefined ? {} : { signal });
  if (stored !== null) return stored;
  throw new TrustFault('artifact.not-found', `${target.name} has no ${tagOrDigest}`);
}

const MAX_DEPTH = 4;
const MAX_NODES = 1000;

/** The node after all that is runnable below it, each digest once. Throws `registry.limit`. */
async function withChildren(
  options: SignArtifactOptions,
  node: StoredManifest,
  depth: number,
  seen: Map<Digest, StoredManifest> = new Map(),
): Promise<readonly StoredManifest[]> {
  const children = childrenOf(node) ?? [];
  if (seen.size + children.length > MAX_NODES || (depth >= MAX_DEPTH && children.length > 0)) {
    throw new TrustFault(
      'registry.limit',
      `the tree below ${options.tagOrDigest} has more than ${MAX_DEPTH} levels or ${MAX_NODES} nodes`,
    );
  }
  for (const { digest } of children) {
    if (!seen.has(digest))
      await withChildren(options, await mustFetch(options, digest), depth + 1, seen);
  }
  seen.set(node.digest, node);
  return [...seen.values()];
}

function signNode(
  options: SignArtifactOptions,
  node: StoredManifest,
  format: FormatName,
): Promise<SignedDocument> {
  return format === 'sigstore-bundle' ? signAsBundle(options, node) : signAsLegacy(options, node);
}

async function signAsBundle(
  options: SignArtifactOptions,
  node: StoredManifest,
): Promise<SignedDocument> {
  const payload = signStatement(node.digest, options.annotations);
  const wanted = { kind: 'signature', annotations: options.annotations } as const;
  return signStatementOn(options, node, payload, COSIGN_SIGN_PREDICATE, wanted);
}

async function signStatementOn(
  context: SigningContext & Pick<SignArtifactOptions, 'target' | 'evidenceTarget' | 'upload'>,
  node: StoredManifest,
  payload: Uint8Array,
  predicateType: string,
  wanted: Wanted,
): Promise<SignedDocument> {
  const bytes = await signStatementBundle({ payload }, context.signer, context.services);
  const document = bundleEvidence(bytes);
  await mustVerify(context, node, [document], wanted, 'before it leaves');
  if (!context.upload) {
    return { subject: node.digest, format: 'sigstore-bundle', bytes, stored: null, tag: null };
  }
  const { mediaType, digest } = node;
  const subject = { mediaType, digest, size: node.bytes.length };
  const call = context.signal === undefined ? {} : { signal: context.signal };
  const target = context.evidenceTarget ?? context.target;
  const stored = await attachBundle(
    target,
    { bytes, subject, predicateType, created: context.at },
    call,
  );
  await mustBeServed({ ...context, target }, node, document, wanted);
  return { subject: node.digest, format: 'sigstore-bundle', bytes, stored, tag: null };
}

async function signAsLegacy(
  options: SignArtifactOptions,
  node: StoredManifest,
): Promise<SignedDocument> {
  const { dockerReference, annotations, signer, services, signal } = options;
  const target = options.evidenceTarget ?? options.target;
  const content = { dockerReference, digest: node.digest, annotations };
  const layer = await signLegacy(content, signer, services);
  const { descriptor, bytes } = layer;
  const document: Evidence = {
    format: 'cosign-legacy',
    digest: descriptor.digest,
    where: 'the new signature',
    bytes,
    annotations: descriptor.annotations ?? {},
    mediaType: descriptor.mediaType,
  };
  const wanted = { kind: 'signature', annotations } as const;
  await mustVerify(options, node, [document], wanted, 'before it leaves');
  const base = { subject: node.digest, format: 'cosign-legacy', bytes } as const;
  if (!options.upload) return { ...base, stored: null, tag: null };
  const call = signal === undefined ? {} : { signal };
  const stored = await attachLegacy(target, node.digest, 'sig', layer, call);
  await mustBeServed({ ...options, target }, node, document, wanted);
  return { ...base, stored, tag: companionTag(node.digest, 'sig') };
}

/** An attestation of one artifact. */
export interface AttestArtifactOptions extends SigningContext {
  readonly target: ArtifactTarget;
  /** Another repository for the attestation (cosign's `COSIGN_REPOSITORY`). */
  readonly evidenceTarget?: ArtifactTarget;
  readonly tagOrDigest: string;
  /** Name of the subject in the statement. */
  readonly subjectName: string;
  /** A short name of a predicate type, or its URI. */
  readonly type: string;
  readonly predicate: unknown;
  readonly upload: boolean;
}

/** Signs a statement about the artifact and attaches it as a bundle. Throws as `signArtifact`. */
export async function attestArtifact(options: AttestArtifactOptions): Promise<SignedDocument> {
  const node = await mustFetch(options, options.tagOrDigest);
  const predicateType = predicateTypeOf(options.type);
  const payload = buildStatement({
    subjects: [{ name: options.subjectName, digest: node.digest }],
    predicateType,
    predicate: options.predicate,
  });
  const wanted = { kind: 'attestation', predicateType } as const;
  return signStatementOn(options, node, payload, predicateType, wanted);
}
