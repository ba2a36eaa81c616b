import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { configureDeadLetters } from './record/dead-letters.ts';
import { configureExport } from './record/export.ts';
import { configureHead } from './record/head.ts';
import { configurePrune } from './record/prune.ts';
import { configureStreams } from './record/streams.ts';
import { configureVerify } from './record/verify.ts';

/** `bulla record verify|head|key|export|prune|streams|dead-letters`. */
export function configure(command: Command, context: CliContext): void {
  configureVerify(command, context);
  configureHead(command, context);
  configureExport(command, context);
  configurePrune(command, context);
  configureStreams(command, context);
  configureDeadLetters(command, context);
}
