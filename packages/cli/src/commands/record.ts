import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { configureExport } from './record/export.ts';
import { configureHead } from './record/head.ts';
import { configurePrune } from './record/prune.ts';
import { configureVerify } from './record/verify.ts';

/** `bulla record verify|head|key|export|prune`. */
export function configure(command: Command, context: CliContext): void {
  configureVerify(command, context);
  configureHead(command, context);
  configureExport(command, context);
  configurePrune(command, context);
}
