import { asCount, member } from '@bulla/trust/bytes/shape';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { Command } from 'commander';
import type { CliContext } from '../../context.ts';
import { jsonText } from '../../output/json.ts';
import { tableLines } from '../../output/table.ts';
import type { Api } from '../../server/api.ts';
import { answer } from '../../server/parse.ts';
import { addServerCommand, openServer, type ServerFlags } from '../../server/running.ts';
import { readLetters } from '../../server/streams.ts';

interface ChosenFlags extends ServerFlags {
  readonly all?: true;
}

// Together with the gaps between them they fit 100 columns.
const COLUMNS = [
  { title: 'FAILED', most: 16 },
  { title: 'KIND', most: 8 },
  { title: 'TRIED', most: 5 },
  { title: 'REASON', most: 36 },
  { title: 'ID', most: 26 },
] as const;
const IDS_MOST = 200;

/** `bulla record dead-letters list|retry|drop`: what a receiver of the record did not take. */
export function configureDeadLetters(record: Command, context: CliContext): void {
  const letters = record
    .command('dead-letters')
    .description('what a receiver of the record did not take');
  addServerCommand(letters, 'list', 'list the dead letters of a stream, the oldest first')
    .argument('<stream>', 'name of the stream')
    .action(async (stream: string, flags: ServerFlags) => {
      await using api = await openServer(flags, context);
      const found = await readLetters(api, stream);
      if (flags.output === 'json') {
        context.out(jsonText({ deadLetters: found.map(({ document }) => document) }));
        return;
      }
      const rows = found.map(({ shown }) => [
        shown.failedAt.slice(0, 16).replace('T', ' '),
        shown.kind,
        String(shown.attempts),
        shown.retrying ? 'is sent once more' : shown.reason,
        shown.id,
      ]);
      for (const line of tableLines(COLUMNS, rows)) context.out(line);
    });
  const chosen = (name: 'retry' | 'drop', description: string) =>
    addServerCommand(letters, name, description)
      .argument('<stream>', 'name of the stream')
      .argument('[id...]', 'ids of dead letters, or their beginnings')
      .option('--all', 'all dead letters of the stream');
  chosen('retry', 'send dead letters once more, under the ids that they had').action(
    async (stream: string, ids: readonly string[], flags: ChosenFlags) => {
      await using api = await openServer(flags, context);
      const document = await ask(api, 'retry', stream, { ids, flags });
      if (flags.output === 'json') context.out(jsonText(document));
      else context.out(`${asCount(member(answer(document), 'retrying'))} are sent once more`);
    },
  );
  chosen('drop', 'remove dead letters for good; the record says who did').action(
    async (stream: string, ids: readonly string[], flags: ChosenFlags) => {
      await using api = await openServer(flags, context);
      const document = await ask(api, 'drop', stream, { ids, flags });
      if (flags.output === 'json') context.out(jsonText(document));
      else context.out(`${asCount(member(answer(document), 'dropped'))} were dropped`);
    },
  );
}

async function ask(
  api: Api,
  what: 'retry' | 'drop',
  stream: string,
  { ids, flags }: { readonly ids: readonly string[]; readonly flags: ChosenFlags },
): Promise<unknown> {
  const isAll = flags.all === true;
  if (isAll === ids.length > 0 || ids.length > IDS_MOST) {
    throw new TrustFault(
      'usage.invalid',
      `expected ids of dead letters, ${IDS_MOST} at most, or --all`,
      'Take the ids from `bulla record dead-letters list STREAM`.',
    );
  }
  const path = ['streams', stream, 'dead-letters', what];
  return api.json({
    method: 'POST',
    path,
    body: isAll ? {} : { ids: await wholeIds(api, stream, ids) },
  });
}

const WHOLE = /^\d+-[0-9a-f]{64}$|^[a-z]+-\d+-\d+$/;

/** Lists cut ids; a beginning that only one has stands for it. */
async function wholeIds(
  api: Api,
  stream: string,
  ids: readonly string[],
): Promise<readonly string[]> {
  if (ids.every((id) => WHOLE.test(id))) return ids;
  const known = (await readLetters(api, stream)).map(({ shown }) => shown.id);
  return ids.map((id) => {
    const beginning = id.replace(/\u2026$/, '');
    const found = known.filter((one) => one.startsWith(beginning) && beginning.includes('-'));
    return found.length === 1 ? (found[0] ?? id) : id;
  });
}
