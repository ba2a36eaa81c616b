import { printable } from '@bulla/trust/fault/fault';
import type { Verdict } from '@bulla/trust/finding/verdict';
import { mapBounded } from '@bulla/trust/oci/bounded';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference, tagOrDigest } from '@bulla/trust/oci/reference';
import type { RegistryOptions } from '@bulla/trust/oci/registry/options';
import type { TreeMode } from '@bulla/trust/policy/document';
import { type VerifyQuestion, verifyArtifact } from '@bulla/trust/verify';
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { relocatedEvidence } from '../options/evidence-source.ts';
import { outputOption } from '../options/output.ts';
import { addRegistryOptions, type RegistryFlags, registryOptions } from '../options/registry.ts';
import {
  addVerificationOptions,
  type VerificationFlags,
  verificationQuestion,
} from '../options/verification.ts';
import { workSignal } from '../options/work-signal.ts';
import { report } from '../output/fault.ts';
import { type OutputFormat, printVerdicts } from '../output/verdict.ts';

interface VerifyFlags extends VerificationFlags, RegistryFlags {
  readonly tree: TreeMode;
  readonly platform?: string;
  readonly output: OutputFormat;
  readonly offline?: true;
  readonly yes?: true;
}

/** `bulla verify IMAGE…`: a verdict on each, with the whole tree of findings. */
export function configure(command: Command, context: CliContext): void {
  command.argument('<image...>', 'REGISTRY/NAME[:TAG|@DIGEST] or oci:PATH[:REF|@DIGEST]');
  addVerificationOptions(command)
    .addOption(
      command
        .createOption('--tree <mode>', 'which node of a multi-arch tree must carry the evidence')
        .choices(['named', 'index', 'leaf', 'any', 'both'])
        .default('named'),
    )
    .option('--platform <os/arch>', 'the one platform of a multi-arch artifact that matters')
    .option(
      '--offline',
      'accepted for habit: nothing but the registry of the image is ever contacted',
    )
    .addOption(outputOption(command, ['text', 'json', 'sarif']))
    .option('-y, --yes', 'accepted for habit; nothing is asked');
  addRegistryOptions(command).action(async (images: readonly string[], flags: VerifyFlags) => {
    const question = await verificationQuestion(flags, context);
    await using _runner = question.condition?.runner;
    const verdicts = await verifyAll(images, question, flags, context);
    await printVerdicts(verdicts, flags.output, context);
  });
}

/** Counts verified images on a terminal, on one line that is redrawn and then removed. */
function openCounter(total: number, context: CliContext) {
  let done = 0;
  const shown = total > 1 && context.terminal.err;
  const draw = (text: string) => {
    if (shown) process.stderr.write(`\r\u001b[2K${text}`);
  };
  return {
    count: () => draw(`verified ${++done} of ${total}`),
    end: () => draw(''),
  };
}

/** So many images are verified at a time. */
const PARALLEL = 8;

async function verifyAll(
  images: readonly string[],
  question: VerifyQuestion,
  flags: VerifyFlags,
  context: CliContext,
): Promise<readonly Verdict[]> {
  const registry = registryOptions(flags, context);
  const counter = openCounter(images.length, context);
  const verdicts = await mapBounded(images, PARALLEL, async (image) => {
    try {
      return await verifyOne(image, question, flags, registry, context);
    } catch (error) {
      context.err(`${printable(image)}:`);
      report(error, context);
      return undefined;
    } finally {
      counter.count();
    }
  });
  counter.end();
  return verdicts.filter((verdict) => verdict !== undefined);
}

async function verifyOne(
  image: string,
  question: VerifyQuestion,
  flags: VerifyFlags,
  registry: RegistryOptions,
  context: CliContext,
): Promise<Verdict> {
  const reference = parseReference(image);
  const source = await openStore(reference, registry);
  const evidenceSource = await relocatedEvidence(context, registry);
  return verifyArtifact({
    ...question,
    reference: image,
    source,
    tagOrDigest: tagOrDigest(reference),
    tree: flags.tree,
    platform: flags.platform ?? null,
    ...(evidenceSource === null ? {} : { evidenceSource }),
    signal: workSignal(flags, context),
    now: context.now,
  });
}
