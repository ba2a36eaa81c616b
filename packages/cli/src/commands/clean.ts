import { type CleanPlan, type CleanType, carryOutClean, planClean } from '@bulla/trust/clean';
import { codeEntry } from '@bulla/trust/fault/codes';
import { printable, TrustFault } from '@bulla/trust/fault/fault';
import type { Attachment } from '@bulla/trust/inventory/attached';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference, tagOrDigest } from '@bulla/trust/oci/reference';
import { type Command, Option } from 'commander';
import type { CliContext } from '../context.ts';
import { relocatedEvidence } from '../options/evidence-source.ts';
import { addRegistryOptions, type RegistryFlags, registryOptions } from '../options/registry.ts';
import { workSignal } from '../options/work-signal.ts';

interface CleanFlags extends RegistryFlags {
  readonly type: CleanType;
  readonly force?: true;
  readonly yes?: true;
}

/** `bulla clean IMAGE`: removes what is attached to an artifact, never the artifact. */
export function configure(command: Command, context: CliContext): void {
  command
    .argument('<image>', 'REGISTRY/NAME[:TAG|@DIGEST] or oci:PATH[:REF|@DIGEST]')
    .addOption(
      new Option('--type <type>', 'which evidence goes')
        .choices(['signature', 'attestation', 'sbom', 'referrer', 'all'])
        .default('all'),
    )
    .option('-f, --force', 'remove without asking')
    .option('-y, --yes', 'the same');
  addRegistryOptions(command).action(async (image: string, flags: CleanFlags) => {
    const reference = parseReference(image);
    const registry = registryOptions(flags, context);
    const source = await openStore(reference, registry);
    const target = (await relocatedEvidence(context, registry)) ?? source;
    const call = { signal: workSignal(flags, context) };
    const plan = await planClean(source, tagOrDigest(reference), flags.type, {
      ...call,
      evidenceSource: target,
    });
    for (const kept of plan.kept) context.err(`kept: ${printable(kept)}`);
    if (plan.removals.length === 0) {
      context.out(`nothing to remove from ${printable(source.name)}@${plan.artifact}`);
      return;
    }
    if (!(await isAgreed(plan, source.name, flags, context))) {
      context.out('nothing was removed');
      return;
    }
    for (const { attachment, fault } of await carryOutClean(target, plan, call)) {
      if (fault === null) {
        context.out(`removed ${describe(attachment)}`);
        continue;
      }
      context.err(
        `not removed: ${describe(attachment)}: ${printable(fault.message)}  [${fault.code}]`,
      );
      context.err(`remedy: ${printable(fault.remedy)}`);
      context.exit.note(codeEntry(fault.code).exit);
    }
  });
}

function describe({ kind, format, artifactType, digest, tag }: Attachment): string {
  const what = printable(format ?? artifactType ?? 'of no type');
  return `${kind} ${what} ${digest}${tag === null ? '' : ` (tag ${tag})`}`;
}

async function isAgreed(
  plan: CleanPlan,
  name: string,
  { force, yes }: CleanFlags,
  context: CliContext,
): Promise<boolean> {
  if (force === true || yes === true) return true;
  context.err(`this would be removed from ${printable(name)}@${plan.artifact}:`);
  for (const attachment of plan.removals) context.err(`  ${describe(attachment)}`);
  if (context.terminal.in && context.terminal.err) {
    const { askYes } = await import('../output/prompt.ts');
    return askYes('remove it?');
  }
  throw new TrustFault(
    'usage.invalid',
    'nothing was removed: there is no terminal to ask on',
    'Give --force when all of this is to go.',
  );
}
