import { TrustFault } from '@bulla/trust/fault/fault';
import type { NamedImage } from '@bulla/trust/images/named-image';
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { composeVariables } from '../options/compose-variables.ts';
import { type DecidingFlags, decideImages, type ImageToDecide } from '../options/decisions.ts';
import { addExceptionOption, type ExceptionFlags, namedExceptions } from '../options/exceptions.ts';
import { readFileBounded } from '../options/files.ts';
import { outputOption } from '../options/output.ts';
import { addPolicyOptions, namedPolicies } from '../options/policy.ts';
import { addRegistryOptions } from '../options/registry.ts';
import { collectPairs, repeatableOptions } from '../options/repeatable.ts';
import { printDecisions } from '../output/decision.ts';

interface GateFlags extends DecidingFlags, ExceptionFlags {
  readonly dockerfile: readonly string[];
  readonly manifest: readonly string[];
  readonly buildArg: Readonly<Record<string, string>>;
  readonly saveEvidence?: string;
  readonly output: 'text' | 'json';
}

const MAX_FILE_BYTES = 16 << 20;

/** `bulla gate IMAGE…`: what the policies say of images, and of those that files name. */
export function configure(command: Command, context: CliContext): void {
  const repeatable = repeatableOptions(command);
  addExceptionOption(
    addPolicyOptions(command.argument('[image...]', 'REGISTRY/NAME[:TAG|@DIGEST]')),
  )
    .addOption(
      repeatable('--dockerfile <file>', 'every image that a build pulls; - reads it (repeatable)'),
    )
    .addOption(
      repeatable(
        '--manifest <file>',
        'every image of a Kubernetes or Compose file; - reads it (repeatable)',
      ),
    )
    .addOption(
      command
        .createOption('--build-arg <name=value>', 'value of an ARG of the Dockerfile (repeatable)')
        .argParser(collectPairs)
        .default({}, 'none'),
    )
    .option('--platform <os/arch>', 'the one platform of a multi-arch image that matters')
    .option('--save-evidence <file>', 'write what was looked at, for `bulla policy test`')
    .addOption(outputOption(command));
  addRegistryOptions(command).action(async (named: readonly string[], flags: GateFlags) => {
    const { set } = await namedPolicies(flags, context);
    const images = await imagesOf(named, flags, context);
    const exceptions = await namedExceptions(flags, context);
    const decided = await decideImages(images, set, flags, context, exceptions);
    if (flags.saveEvidence !== undefined) {
      const { saveDossiers } = await import('../options/dossiers.ts');
      await saveDossiers(
        flags.saveEvidence,
        decided.map(({ dossier }) => dossier),
      );
    }
    await printDecisions(decided, { output: flags.output, whole: false }, context);
  });
}

async function imagesOf(
  named: readonly string[],
  flags: GateFlags,
  context: CliContext,
): Promise<readonly ImageToDecide[]> {
  const images: ImageToDecide[] = named.map((reference) => ({ reference, where: null }));
  for (const file of flags.dockerfile) {
    if (file.endsWith('.in')) throw preprocessed(file);
    const { dockerfileImages } = await import('@bulla/trust/images/dockerfile');
    const found = dockerfileImages(await readText(file, context), flags.buildArg);
    images.push(...found.map((image) => imageOfFile(image, file)));
  }
  for (const file of flags.manifest) {
    const { manifestImages } = await import('@bulla/trust/images/manifest-file');
    const text = await readText(file, context);
    const variables = await composeVariables(file, context.env);
    const { images: found, notes } = manifestImages(text, file, variables);
    for (const note of notes) context.err(`note: ${note}`);
    if (found.length === 0) throw new TrustFault('images.none', `${file} names no image`);
    images.push(...found.map((image) => imageOfFile(image, file)));
  }
  if (images.length > 0) return images;
  throw new TrustFault(
    'images.none',
    'there is no image to decide about',
    'Name images, or give --dockerfile or --manifest.',
  );
}

/** By this name podman and buildah hand a Dockerfile to cpp, whose directives are comments here. */
function preprocessed(file: string): TrustFault {
  return new TrustFault(
    'images.dockerfile-malformed',
    `expected a Dockerfile as it is built, found ${file}, which podman and buildah run through cpp`,
    'Gate what `cpp -E -iquote FOLDER` prints.',
  );
}

/**
 * What a file names is pulled by others: to them `oci:x` is an image of Docker Hub. Here it would be a
 * folder, which whoever wrote the file may have put beside it, signatures and all.
 */
function imageOfFile({ reference, where }: NamedImage, file: string): ImageToDecide {
  const pulled = reference.replace(/^oci:/, 'docker.io/library/oci:');
  return { reference: pulled, where: `${file} ${where}` };
}

async function readText(file: string, context: CliContext): Promise<string> {
  return Buffer.from(await readFileBounded(file, MAX_FILE_BYTES, context.signal)).toString('utf8');
}
