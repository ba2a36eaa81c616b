import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { configureCheck } from './policy/check.ts';
import { configureFmt } from './policy/fmt.ts';
import { configureInit } from './policy/init.ts';

/** `bulla policy check|fmt|init`. */
export function configure(command: Command, context: CliContext): void {
  configureInit(command, context);
  configureCheck(command, context);
  configureFmt(command, context);
}
