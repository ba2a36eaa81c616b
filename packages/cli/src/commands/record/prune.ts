import { TrustFault } from '@bulla/trust/fault/fault';
import type { Command } from 'commander';
import type { CliContext } from '../../context.ts';
import { instantOf } from '../../options/instant.ts';
import { addPlaceOptions, openPlace, type PlaceFlags } from '../../server/place.ts';

interface PruneFlags extends PlaceFlags {
  readonly before: string;
  readonly yes?: true;
}

/** `bulla record prune --before TIME`: removes the old end; what is left stays provable. */
export function configurePrune(record: Command, context: CliContext): void {
  const command = record
    .command('prune')
    .description('remove what is older than a time, offline; a signed anchor says what went')
    .requiredOption('--before <time>', '2026-11-21T12:00:00Z, 2026-11-21, or 365d ago')
    .option('-y, --yes', 'remove without asking');
  addPlaceOptions(command).action(async (flags: PruneFlags) => {
    const wanted = { option: '--before', now: context.clock(), toward: 'past' } as const;
    const before = instantOf(flags.before, wanted);
    if (flags.yes !== true && !(await isAgreed(before, context))) {
      context.out('nothing was removed');
      return;
    }
    await using api = await openPlace(flags, context);
    const { entries, through } = await api.prune(before);
    context.out(
      entries === 0
        ? 'nothing was removed: no entry is older'
        : `removed ${entries} entries, up to number ${through}; the newest always stays`,
    );
  });
}

async function isAgreed(before: Date, context: CliContext): Promise<boolean> {
  if (context.terminal.in && context.terminal.err) {
    const { askYes } = await import('../../output/prompt.ts');
    return askYes(`remove every entry before ${before.toISOString()} for ever?`);
  }
  throw new TrustFault(
    'usage.invalid',
    'nothing was removed: there is no terminal to ask on',
    'Give --yes when these entries are to go for ever.',
  );
}
