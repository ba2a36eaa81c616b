import { printable } from '@bulla/trust/fault/fault';
import { openStore } from '@bulla/trust/oci/open';
import { canonicalName, parseReference, tagOrDigest } from '@bulla/trust/oci/reference';
import { attestArtifact } from '@bulla/trust/sign';
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { relocatedEvidence } from '../options/evidence-source.ts';
import { writeOutput } from '../options/files.ts';
import { readPredicate } from '../options/predicate.ts';
import { addRegistryOptions, type RegistryFlags, registryOptions } from '../options/registry.ts';
import { addSigningOptions, type SigningFlags, signingContext } from '../options/signing.ts';
import { workSignal } from '../options/work-signal.ts';

interface AttestFlags extends SigningFlags, RegistryFlags {
  readonly type: string;
  readonly predicate?: string;
  readonly bundle?: string;
  readonly upload: boolean;
}

/** `bulla attest IMAGE --type T --predicate FILE`: a signed statement about the image. */
export function configure(command: Command, context: CliContext): void {
  command.argument('<image>', 'REGISTRY/NAME[:TAG|@DIGEST] or oci:PATH[:REF|@DIGEST]');
  addSigningOptions(command)
    .option('--type <type>', 'short name of the predicate type, or its URI', 'custom')
    .option('--predicate <file>', 'the predicate; - for standard input')
    .option('--bundle <file>', 'write the bundle to a file as well')
    .option('--no-upload', 'do not push the attestation');
  addRegistryOptions(command).action(async (image: string, flags: AttestFlags) => {
    const predicate = await readPredicate(flags.predicate, flags.type, context);
    const reference = parseReference(image);
    const signing = await signingContext(flags, context);
    await using _signer = signing.signer;
    const registry = registryOptions(flags, context);
    const target = await openStore(reference, registry);
    const evidenceTarget = await relocatedEvidence(context, registry);
    const document = await attestArtifact({
      ...signing,
      signal: workSignal(flags, context),
      target,
      ...(evidenceTarget === null ? {} : { evidenceTarget }),
      tagOrDigest: tagOrDigest(reference),
      subjectName: canonicalName(reference),
      type: flags.type,
      predicate,
      upload: flags.upload,
    });
    const where = document.stored === null ? 'not pushed' : `referrer ${document.stored}`;
    context.out(
      `attested ${printable(target.name)}@${document.subject}  ${printable(flags.type)}  ${where}`,
    );
    if (flags.bundle !== undefined) await writeOutput(flags.bundle, document.bytes);
  });
}
