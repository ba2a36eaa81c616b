import type { Command } from 'commander';
import type { CliContext } from '../../context.ts';
import { jsonText } from '../../output/json.ts';
import { tableLines } from '../../output/table.ts';
import { addServerCommand, openServer, type ServerFlags } from '../../server/running.ts';
import { parseStreams } from '../../server/streams.ts';

// Together with the gaps between them they fit 100 columns.
const COLUMNS = [
  { title: 'STREAM', most: 20 },
  { title: 'FORMAT', most: 11 },
  { title: 'LAG', most: 9 },
  { title: 'DEAD', most: 5 },
  { title: 'SINCE', most: 16 },
  { title: 'FAILS', most: 29 },
] as const;

/** `bulla record streams`: how far each receiver of the record has come, and what fails. */
export function configureStreams(record: Command, context: CliContext): void {
  addServerCommand(
    record,
    'streams',
    'list the receivers of the record: how far each was sent, and what fails',
  ).action(async (flags: ServerFlags) => {
    await using api = await openServer(flags, context);
    const document = await api.json({ method: 'GET', path: ['streams'] });
    if (flags.output === 'json') {
      context.out(jsonText(document));
      return;
    }
    const rows = parseStreams(document).map((stream) => [
      stream.name,
      stream.format,
      String(stream.lag),
      String(stream.deadLetters),
      stream.failingSince?.slice(0, 16).replace('T', ' ') ?? '',
      stream.reason ?? '',
    ]);
    for (const line of tableLines(COLUMNS, rows)) context.out(line);
  });
}
