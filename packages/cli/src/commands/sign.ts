import { printable, TrustFault } from '@bulla/trust/fault/fault';
import { openStore } from '@bulla/trust/oci/open';
import { canonicalName, parseReference, tagOrDigest } from '@bulla/trust/oci/reference';
import type { ArtifactTarget } from '@bulla/trust/oci/store';
import type { FormatName } from '@bulla/trust/proof/evidence';
import { type SignedDocument, signArtifact } from '@bulla/trust/sign';
import type { SigningContext } from '@bulla/trust/sign/check';
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { relocatedEvidence } from '../options/evidence-source.ts';
import { writeOutput } from '../options/files.ts';
import { addRegistryOptions, type RegistryFlags, registryOptions } from '../options/registry.ts';
import { addAnnotationOption } from '../options/repeatable.ts';
import { addSigningOptions, type SigningFlags, signingContext } from '../options/signing.ts';
import { workSignal } from '../options/work-signal.ts';

interface SignFlags extends SigningFlags, RegistryFlags {
  readonly format: 'sigstore-bundle' | 'cosign-legacy' | 'both';
  readonly annotation: Readonly<Record<string, string>>;
  readonly recursive?: true;
  readonly bundle?: string;
  readonly upload: boolean;
  readonly tagAfter?: string;
}

/** `bulla sign IMAGE…`: signs digests, verifies what it signed, and moves a tag afterwards. */
export function configure(command: Command, context: CliContext): void {
  command.argument('<image...>', 'REGISTRY/NAME[:TAG|@DIGEST] or oci:PATH[:REF|@DIGEST]');
  addAnnotationOption(addSigningOptions(command), 'annotation to be signed (repeatable)')
    .addOption(
      command
        .createOption('--format <format>', 'how the signature is written')
        .choices(['sigstore-bundle', 'cosign-legacy', 'both'])
        .default('sigstore-bundle'),
    )
    .option('-r, --recursive', 'sign each platform of a multi-arch image too')
    .option('--bundle <file>', 'write the bundle to a file as well')
    .option('--no-upload', 'do not push the signature')
    .option('--tag-after <tag>', 'move this tag to the digest once its signature is in place');
  addRegistryOptions(command).action(async (images: readonly string[], flags: SignFlags) => {
    checkFlags(images, flags);
    const signing = await signingContext(flags, context);
    await using _signer = signing.signer;
    for (const image of images) await signOne(image, flags, signing, context);
  });
}

function checkFlags(images: readonly string[], flags: SignFlags): void {
  if (flags.bundle === undefined) return;
  if (images.length > 1 || flags.recursive === true || flags.format !== 'sigstore-bundle') {
    throw new TrustFault(
      'usage.invalid',
      '--bundle writes one bundle: give one image, the bundle format, and no --recursive',
    );
  }
}

function formatsOf(format: SignFlags['format']): readonly FormatName[] {
  return format === 'both' ? ['sigstore-bundle', 'cosign-legacy'] : [format];
}

async function signOne(
  image: string,
  flags: SignFlags,
  signing: SigningContext,
  context: CliContext,
): Promise<void> {
  const reference = parseReference(image);
  const registry = registryOptions(flags, context);
  const target = await openStore(reference, registry);
  const evidenceTarget = await relocatedEvidence(context, registry);
  const wanted = tagOrDigest(reference);
  const resolved = await target.resolve(wanted, { signal: context.signal });
  if (resolved === null) {
    throw new TrustFault('artifact.not-found', `${target.name} has no ${printable(wanted)}`);
  }
  const named = `${printable(target.name)}@${resolved.digest}`;
  context.err(
    wanted === resolved.digest
      ? `signing ${named}`
      : `signing ${named} (what ${printable(wanted)} is now)`,
  );
  const documents = await signArtifact({
    ...signing,
    signal: workSignal(flags, context),
    target,
    ...(evidenceTarget === null ? {} : { evidenceTarget }),
    tagOrDigest: resolved.digest,
    dockerReference: canonicalName(reference),
    formats: formatsOf(flags.format),
    annotations: flags.annotation,
    recursive: flags.recursive === true,
    upload: flags.upload,
  });
  for (const document of documents) context.out(describe(document, target, evidenceTarget));
  const [first] = documents;
  if (flags.bundle !== undefined && first !== undefined)
    await writeOutput(flags.bundle, first.bytes);
  if (flags.tagAfter !== undefined) {
    await moveTag(target, resolved.digest, flags.tagAfter, context);
  }
}

function describe(
  document: SignedDocument,
  target: ArtifactTarget,
  evidenceTarget: ArtifactTarget | null,
): string {
  const there = evidenceTarget === null ? '' : ` in ${printable(evidenceTarget.name)}`;
  const where =
    document.stored === null
      ? 'not pushed'
      : document.tag === null
        ? `referrer ${document.stored}`
        : `tag ${document.tag}`;
  return `signed ${printable(target.name)}@${document.subject}  ${document.format}  ${where}${there}`;
}

/** A floating tag moves only after the signature was read back and verified. */
async function moveTag(
  target: ArtifactTarget,
  digest: string,
  tag: string,
  context: CliContext,
): Promise<void> {
  const call = { signal: context.signal };
  const stored = await target.manifest(digest, call);
  if (stored === null) {
    throw new TrustFault('artifact.not-found', `${target.name} has no ${digest} any more`);
  }
  await target.putManifest({ bytes: stored.bytes, mediaType: stored.mediaType }, { ...call, tag });
  context.out(`tagged ${printable(target.name)}:${tag} -> ${digest}`);
}
