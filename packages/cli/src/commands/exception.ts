import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { configureApprove } from './exception/approve.ts';
import { configureCheck } from './exception/check.ts';
import { configureRequest } from './exception/request.ts';
import { configureShow } from './exception/show.ts';

/** `bulla exception request|approve|show|check`. */
export function configure(command: Command, context: CliContext): void {
  configureRequest(command, context);
  configureApprove(command, context);
  configureShow(command, context);
  configureCheck(command, context);
}
