import { TrustFault } from '@bulla/trust/fault/fault';
import type { PolicySet } from '@bulla/trust/policy/policy-set';
import type { Command } from 'commander';
import type { CliContext } from '../../context.ts';
import { type DecidingFlags, sharedExpressions } from '../../options/decisions.ts';
import {
  addExceptionOption,
  type ExceptionFlags,
  namedExceptions,
} from '../../options/exceptions.ts';
import {
  addImageSourceOptions,
  hasImageSource,
  type ImageSourceFlags,
} from '../../options/image-sources.ts';
import { outputOption } from '../../options/output.ts';
import {
  addPolicyOptions,
  loadedPolicies,
  namedPolicies,
  namedTrustRoots,
} from '../../options/policy.ts';
import { addRegistryOptions } from '../../options/registry.ts';
import { collect } from '../../options/repeatable.ts';
import type { Comparing } from '../../options/simulation.ts';
import { type Baseline, printSimulation } from '../../output/simulation.ts';
import { addPlaceOptions, type PlaceFlags } from '../../server/place.ts';

interface SimulateFlags extends DecidingFlags, ExceptionFlags, PlaceFlags, ImageSourceFlags {
  readonly against: readonly string[];
  readonly decisions?: string;
  readonly at: 'decision' | 'now';
  readonly output: 'text' | 'json';
}

/** `bulla policy simulate`: what other policies would change, touching nothing. */
export function configureSimulate(policy: Command, context: CliContext): void {
  const command = policy.command('simulate');
  addExceptionOption(addImageSourceOptions(addPolicyOptions(command)))
    .description('show what policies would newly refuse or admit, of images or of past decisions')
    .addOption(
      command
        .createOption('--against <path>', 'the policies that decide today (repeatable)')
        .argParser(collect)
        .default([], 'the record; for images none'),
    )
    .option('--decisions <from..to>', 'decisions of the record, as 7d.. or 2026-11-01..2026-11-08')
    .addOption(
      command
        .createOption('--at <instant>', 'the present of past decisions: their own, or now')
        .choices(['decision', 'now'])
        .default('decision'),
    )
    .option('--platform <os/arch>', 'the one platform of multi-arch images that matters')
    .addOption(outputOption(command));
  addRegistryOptions(addPlaceOptions(command)).action(async (flags: SimulateFlags) => {
    const { decisions, at } = flags;
    if (hasImageSource(flags) === (decisions !== undefined)) {
      throw new TrustFault(
        'usage.invalid',
        'a simulation is about images or about past decisions',
        'Give --images, --registry or --cluster; or --decisions FROM..TO.',
      );
    }
    const { set: policies } = await namedPolicies(flags, context);
    const against = await oldPolicies(flags, context);
    await using expressions = sharedExpressions();
    const exceptions = await namedExceptions(flags, context);
    const comparing = { policies, against, expressions: expressions.runner, exceptions, context };
    const simulated =
      decisions === undefined
        ? await ofImages(flags, comparing)
        : await ofDecisions(decisions, at, flags, comparing);
    const baseline = baselineOf(against, decisions);
    const simulation = { policySetHash: policies.hash, against: baseline, images: simulated };
    printSimulation(simulation, flags.output, context);
  });
}

async function oldPolicies(flags: SimulateFlags, context: CliContext): Promise<PolicySet | null> {
  if (flags.against.length === 0) return null;
  const roots = await namedTrustRoots(flags, context);
  return (await loadedPolicies(flags.against, roots, context)).set;
}

function baselineOf(against: PolicySet | null, decisions: string | undefined): Baseline {
  if (against !== null) return { kind: 'policies', hash: against.hash };
  return { kind: decisions === undefined ? 'nothing' : 'record' };
}

async function ofImages(flags: SimulateFlags, comparing: Comparing) {
  const { simulateImages } = await import('./simulate-images.ts');
  return simulateImages(flags, comparing);
}

async function ofDecisions(
  range: string,
  at: SimulateFlags['at'],
  flags: SimulateFlags,
  comparing: Comparing,
) {
  const [{ openPlace }, { simulateDecisions }] = await Promise.all([
    import('../../server/place.ts'),
    import('../../server/simulate-decisions.ts'),
  ]);
  await using api = await openPlace(flags, comparing.context);
  return await simulateDecisions(api, range, at, comparing);
}
