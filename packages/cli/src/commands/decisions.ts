import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { positiveCount } from '../options/count.ts';
import { jsonText } from '../output/json.ts';
import { tableLines } from '../output/table.ts';
import { textOf } from '../server/api.ts';
import { decisionLines } from '../server/decision-lines.ts';
import { DECISION_ENDING, findDecision, searchDecisions } from '../server/decisions.ts';
import type { ShownDecision } from '../server/parse.ts';
import { addPlaceCommand, openPlace, type PlaceFlags } from '../server/place.ts';
import { addFilterOptions, type FilterFlags, filterQuery } from '../server/record-filter.ts';

interface DecisionsFlags extends PlaceFlags {
  readonly output: 'text' | 'json';
}

interface ListFlags extends DecisionsFlags, FilterFlags {
  readonly limit: number;
  readonly before?: number;
}

const LIMIT = 50;
const ID = 'id of the decision, or its last eight characters or more';

/** `bulla decisions list|show|explain`: what a server answered, and why. */
export function configure(command: Command, context: CliContext): void {
  const list = addPlaceCommand(command, 'list', 'list decisions, newest first')
    .option('--limit <n>', `at most so many (default: ${LIMIT})`, positiveCount('--limit'), LIMIT)
    .option(
      '--before <number>',
      'go on below this number of the record',
      positiveCount('--before'),
    );
  addFilterOptions(list).action(async (flags: ListFlags) => {
    await using api = await openPlace(flags, context);
    const query = await filterQuery(flags, api, context);
    const { limit, before = null } = flags;
    const { found, next } = await searchDecisions(api, query, { limit, before });
    if (flags.output === 'json') {
      context.out(jsonText({ decisions: found.map(({ document }) => document), next }));
      return;
    }
    const rows = found.map(({ shown }) => rowOf(shown));
    for (const line of tableLines(COLUMNS, rows)) context.out(line);
    if (next !== null) context.err(`there may be more: --before ${next}`);
  });
  addPlaceCommand(command, 'show', 'show all that is recorded of a decision but its findings')
    .argument('<id>', ID)
    .action(async (id: string, flags: DecisionsFlags) => {
      await using api = await openPlace(flags, context);
      const document = await api.json({
        method: 'GET',
        path: ['decisions', await findDecision(api, id)],
      });
      if (flags.output === 'json') context.out(jsonText(document));
      else for (const line of decisionLines(document)) context.out(line);
    });
  addPlaceCommand(
    command,
    'explain',
    'print the tree of findings of a decision, with what would mend it',
  )
    .argument('<id>', ID)
    .action(async (id: string, flags: DecisionsFlags) => {
      await using api = await openPlace(flags, context);
      const path = ['decisions', await findDecision(api, id)];
      if (flags.output === 'json') {
        context.out(jsonText(await api.json({ method: 'GET', path })));
        return;
      }
      const text = await textOf(api, { method: 'GET', path: [...path, 'explanation'] });
      context.out(text.trimEnd());
    });
}

// Together with the gaps between them they fit 100 columns.
const COLUMNS = [
  { title: 'AT', most: 19 },
  { title: 'ANSWER', most: 6 },
  { title: 'IMAGE', most: 37, cut: 'start' },
  { title: 'CODE', most: 22 },
  { title: 'ID', most: DECISION_ENDING },
] as const;

function rowOf({ at, effect, reference, code, id }: ShownDecision): readonly string[] {
  const time = at.slice(0, 19).replace('T', ' ');
  // A digest is known by its beginning.
  const image = reference.replace(/(@sha\d+:[0-9a-f]{8})[0-9a-f]+$/, '$1…');
  return [time, effect, image, code ?? '', id.slice(-DECISION_ENDING)];
}
