import { printable } from '@bulla/trust/fault/fault';
import type { Command } from 'commander';
import type { CliContext } from '../../context.ts';
import { jsonText } from '../../output/json.ts';
import { tableLines } from '../../output/table.ts';
import { parseExceptions, type ShownException } from '../../server/exceptions.ts';
import { addServerCommand, openServer, type ServerFlags } from '../../server/running.ts';

interface ListFlags extends ServerFlags {
  readonly state?: string;
  readonly openReviews?: true;
}

const STATES = ['requested', 'in-force', 'expired', 'revoked'] as const;
const LISTED_MOST = '500';

// Together with the gaps between them they fit 100 columns.
const COLUMNS = [
  { title: 'ID', most: 12 },
  { title: 'NAME', most: 18 },
  { title: 'STATE', most: 14 },
  { title: 'IMAGE', most: 26, cut: 'start' },
  { title: 'EXPIRES', most: 16 },
  { title: 'USES', most: 4 },
] as const;

/** `bulla exception list`: what was asked for, what holds, and what has to be reviewed. */
export function configureList(exception: Command, context: CliContext): void {
  const command = addServerCommand(
    exception,
    'list',
    'list the exceptions of a server: what was asked for, what holds, and how often it was used',
  );
  command
    .addOption(command.createOption('--state <state>', 'only those').choices(STATES))
    .option('--open-reviews', 'only uses of break-glass that nobody has reviewed')
    .action(async (flags: ListFlags) => {
      await using api = await openServer(flags, context);
      const query = {
        limit: LISTED_MOST,
        ...(flags.state === undefined ? {} : { state: flags.state }),
        ...(flags.openReviews === true ? { review: 'open' } : {}),
      };
      const document = await api.json({ method: 'GET', path: ['exceptions'], query });
      if (flags.output === 'json') return context.out(jsonText(document));
      const all = parseExceptions(document);
      for (const line of tableLines(COLUMNS, all.map(rowOf))) context.out(line);
      for (const line of all.flatMap(reviewLines)) context.err(line);
    });
}

function rowOf(one: ShownException): readonly string[] {
  const { id, name, kind, state, repository, digest, expires, uses } = one;
  const hex = id.replace('sha256:', '').slice(0, 12);
  const image = digest === null ? `${repository} (all)` : repository;
  const shown = kind === 'break-glass' ? `${state} GLASS` : state;
  return [hex, name, shown, image, expires.slice(0, 16).replace('T', ' '), String(uses)];
}

function reviewLines({ review, name, id }: ShownException): readonly string[] {
  if (review !== 'open') return [];
  const ask = `bulla exception review ${id.replace('sha256:', '').slice(0, 12)} --found TEXT`;
  return [`break-glass ${printable(name)} waits for its review: ${ask}`];
}
