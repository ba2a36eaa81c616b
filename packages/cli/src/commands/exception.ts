import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { configureApprove } from './exception/approve.ts';
import { configureCheck } from './exception/check.ts';
import { configureReview, configureRevoke } from './exception/end.ts';
import { configureFetch } from './exception/fetch.ts';
import { configureList } from './exception/list.ts';
import { configureRequest } from './exception/request.ts';
import { configureShow } from './exception/show.ts';
import { configureSubmit } from './exception/submit.ts';

/** `bulla exception request|approve|show|check`, in files, and `submit|list|fetch|revoke|review` at a server. */
export function configure(command: Command, context: CliContext): void {
  configureRequest(command, context);
  configureApprove(command, context);
  configureShow(command, context);
  configureCheck(command, context);
  configureSubmit(command, context);
  configureList(command, context);
  configureFetch(command, context);
  configureRevoke(command, context);
  configureReview(command, context);
}
