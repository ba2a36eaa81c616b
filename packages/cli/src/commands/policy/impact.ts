import { changeText } from '@bulla/trust/policy/impact/change';
import type { ImpactedImage } from '@bulla/trust/policy/impact/report';
import type { PolicySet } from '@bulla/trust/policy/policy-set';
import type { Command } from 'commander';
import type { CliContext } from '../../context.ts';
import { type DecidingFlags, sharedExpressions } from '../../options/decisions.ts';
import {
  addImageSourceOptions,
  hasImageSource,
  type ImageSourceFlags,
} from '../../options/image-sources.ts';
import { type Judging, nothingToJudge } from '../../options/impact.ts';
import { instantOf } from '../../options/instant.ts';
import { outputOption } from '../../options/output.ts';
import { addPolicyOptions, namedPolicies } from '../../options/policy.ts';
import { addRegistryOptions } from '../../options/registry.ts';
import { collect } from '../../options/repeatable.ts';
import { addChangeOptions, type ChangeFlags, namedChanges } from '../../options/trust-change.ts';
import { printImpact } from '../../output/impact.ts';
import { addPlaceOptions, type PlaceFlags } from '../../server/place.ts';

interface ImpactFlags extends DecidingFlags, PlaceFlags, ImageSourceFlags, ChangeFlags {
  readonly decisions?: string;
  readonly evidence: readonly string[];
  readonly running: string;
  readonly at: 'decision' | 'now';
  readonly output: 'text' | 'json';
}

const RANGE = '30d..';

/** `bulla policy impact`: what would lose its last valid path if somebody were trusted no more. */
export function configureImpact(policy: Command, context: CliContext): void {
  const command = policy.command('impact');
  addChangeOptions(addPolicyOptions(command))
    .description('show which images a key, an identity or a trust root takes along when it goes')
    .option('--decisions <from..to>', `decisions of the record (default: ${RANGE})`)
    .addOption(
      command
        .createOption('--evidence <path>', 'stored evidence: a file, or a folder (repeatable)')
        .argParser(collect)
        .default([], 'none'),
    )
    .option('--running <time>', 'what was admitted to a cluster or node since then runs', '7d')
    .addOption(
      command
        .createOption('--at <instant>', 'the present of past decisions: their own, or now')
        .choices(['decision', 'now'])
        .default('decision'),
    )
    .addOption(outputOption(command));
  addRegistryOptions(addPlaceOptions(addImageSourceOptions(command))).action(
    async (flags: ImpactFlags) => {
      const { set } = await namedPolicies(flags, context);
      const changes = await namedChanges(flags, set, context);
      const { changedPolicies } = await import('@bulla/trust/policy/impact/changed-policies');
      const changed = changedPolicies(set, changes);
      await using expressions = sharedExpressions();
      const judging: Judging = { changed, expressions: expressions.runner, context };
      const { mergeImpacts } = await import('@bulla/trust/policy/impact/report');
      const images = mergeImpacts(await impacts(flags, set, judging));
      if (images.length === 0) throw nothingToJudge('what was asked');
      printImpact(
        {
          policySetHash: set.hash,
          changes: changes.map(changeText),
          touched: changed.touched,
          images,
        },
        flags.output,
        context,
      );
    },
  );
}

/** Evidence that is stored is never fetched again; what a cluster runs is looked up in it. */
async function impacts(
  flags: ImpactFlags,
  set: PolicySet,
  judging: Judging,
): Promise<readonly ImpactedImage[]> {
  const { impactOfEvidence, impactOfImages, inCluster } = await import('./impact-images.ts');
  const { server, data, config, evidence, decisions } = flags;
  const hasPlace = [server, data, config, decisions].some((one) => one !== undefined);
  const isRecord = hasPlace || (evidence.length === 0 && !hasImageSource(flags));
  const stored = [
    ...(isRecord ? await ofRecord(flags, judging) : []),
    ...(evidence.length > 0 ? await impactOfEvidence(evidence, flags, judging) : []),
  ];
  if (!isRecord && evidence.length === 0) return impactOfImages(flags, set, judging);
  const { cluster, ...others } = flags;
  const fetched = hasImageSource(others) ? await impactOfImages(others, set, judging) : [];
  const told = [...stored, ...fetched];
  return cluster === undefined ? told : inCluster(told, { ...flags, cluster }, judging.context);
}

async function ofRecord(flags: ImpactFlags, judging: Judging): Promise<readonly ImpactedImage[]> {
  const [{ openPlace }, { decisionRange }, { impactOfDecisions }] = await Promise.all([
    import('../../server/place.ts'),
    import('../../server/simulate-decisions.ts'),
    import('../../server/impact-decisions.ts'),
  ]);
  const { context } = judging;
  const wanted = { option: '--running', now: context.clock(), toward: 'past' } as const;
  const range = {
    query: decisionRange(flags.decisions ?? RANGE, context),
    runningSince: instantOf(flags.running, wanted),
    at: flags.at,
  };
  await using api = await openPlace(flags, context);
  return await impactOfDecisions(api, range, judging);
}
