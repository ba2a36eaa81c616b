import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { instantOf } from './instant.ts';

const TEXTS = ['surface', 'repository', 'tag', 'digest', 'policy', 'actor', 'code'] as const;

/** The options that choose decisions, as commander gives them. */
export type FilterFlags = {
  readonly [name in (typeof TEXTS)[number] | 'outcome' | 'effect' | 'from' | 'to']?: string;
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
    .option('--from <time>', 'at or after: 2026-11-21T12:00:00Z, 2026-11-21, or 12h ago')
    .option('--to <time>', 'before');
}

/** The API's query that the flags ask for. Throws `usage.invalid`. */
export function filterQuery(
  flags: FilterFlags,
  { clock }: CliContext,
): Readonly<Record<string, string>> {
  const query: Record<string, string> = {};
  for (const name of [...TEXTS, 'outcome', 'effect'] as const) {
    const value = flags[name];
    if (value !== undefined) query[name] = value;
  }
  for (const name of ['from', 'to'] as const) {
    const text = flags[name];
    if (text === undefined) continue;
    const at = instantOf(text, { option: `--${name}`, now: clock(), toward: 'past' });
    query[name] = at.toISOString();
  }
  return query;
}
