import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { configureInstallVerifier } from './node/install-verifier.ts';
import { configureServe } from './node/serve.ts';

/** `bulla node serve|install-verifier`: what runs on the nodes of a cluster. */
export function configure(command: Command, context: CliContext): void {
  configureServe(command, context);
  configureInstallVerifier(command, context);
}
