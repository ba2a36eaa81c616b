import { Command } from 'commander';
import { COMMANDS } from '../../src/commands/list.ts';
import { type CliContext, exitTally } from '../../src/context.ts';
import { report } from '../../src/output/fault.ts';
import type { Run } from './run.ts';

/**
 * Calls a command in this process, as `main.ts` does, with no terminal: for tables of many calls, of
 * which each would start a Node of its own.
 */
export async function call(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Run> {
  let out = '';
  let err = '';
  const context: CliContext = {
    env,
    homeFolder: '/nonexistent',
    out: (line) => {
      out += `${line}\n`;
    },
    err: (line) => {
      err += `${line}\n`;
    },
    terminal: { in: false, out: false, err: false },
    clock: () => new Date(),
    now: () => performance.now(),
    signal: new AbortController().signal,
    exit: exitTally(),
  };
  const program = new Command('bulla').exitOverride().configureOutput({
    writeOut: (text) => context.out(text.trimEnd()),
    writeErr: (text) => context.err(text.trimEnd()),
  });
  const entry = COMMANDS.find(({ name }) => name === args[0]);
  try {
    if (entry === undefined) throw new Error(`no command ${args[0]}`);
    const command = program.command(entry.name);
    command.copyInheritedSettings(program);
    (await entry.load()).configure(command, context);
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    report(error, context);
  }
  return { code: context.exit.worst(), out, err };
}
