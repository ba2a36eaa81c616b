import type { Command } from 'commander';
import type { CliContext } from '../context.ts';

/** What each file of this folder that is a command exports. */
export interface CommandModule {
  /** Declares arguments and options, and the action that carries the command out. */
  configure(command: Command, context: CliContext): void;
}

/** One command: its name, its line in the help, and its module, loaded only when it is called. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<CommandModule>;
}
