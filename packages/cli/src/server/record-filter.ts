import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { instantOf } from '../options/instant.ts';
import type { Api } from './api.ts';

const OTHERS = ['outcome', 'effect', 'from', 'to', 'exception'] as const;
const TEXTS = ['surface', 'repository', 'tag', 'digest', 'policy', 'actor', 'code'] as const;

/** The options that choose decisions, as commander gives them. */
export type FilterFlags = {
  readonly [name in (typeof TEXTS)[number] | (typeof OTHERS)[number]]?: string;
};

/** Declares which decisions of the record are meant; the API has filters of the same names. */
export function addFilterOptions(command: Command): Command {
  const choice = (flags: string, description: string, values: readonly string[]) =>
    command.createOption(flags, description).choices(values);
  return command
    .addOption(choice('--outcome <outcome>', 'what the door did', ['admit', 'deny']))
    .addOption(
      choice('--effect <effect>', 'the strictest of what the policies said', [
        'pass',
        'warn',
        'audit',
        'deny',
      ]),
    )
    .option('--surface <surface>', 'pull, admission, gate, node or watch')
    .option('--repository <glob>', 'a repository, a path above some, or a glob')
    .option('--tag <tag>', 'the tag that was asked for')
    .option('--digest <digest>', 'the digest that was decided about, or that it covers')
    .option('--policy <name>', 'a policy that took part')
    .option('--actor <name>', 'who asked, by name or id')
    .option('--code <code>', 'code of a check that did not pass')
    .option('--exception <exception>', 'an exception that it stood on: its name or id')
    .option('--from <time>', 'at or after: 2026-11-21T12:00:00Z, 2026-11-21, or 12h ago')
    .option('--to <time>', 'before');
}

/**
 * The API's query that the flags ask for. Throws `usage.invalid`, and for an exception that is named
 * `exception.unknown` and what the API throws.
 */
export async function filterQuery(
  flags: FilterFlags,
  api: Api,
  { clock }: CliContext,
): Promise<Readonly<Record<string, string>>> {
  const query: Record<string, string> = {};
  for (const name of [...TEXTS, 'outcome', 'effect'] as const) {
    const value = flags[name];
    if (value !== undefined) query[name] = value;
  }
  if (flags.exception !== undefined) {
    const { findException } = await import('./exceptions.ts');
    query['exception'] = await findException(api, flags.exception);
  }
  for (const name of ['from', 'to'] as const) {
    const text = flags[name];
    if (text === undefined) continue;
    const at = instantOf(text, { option: `--${name}`, now: clock(), toward: 'past' });
    query[name] = at.toISOString();
  }
  return query;
}
