import { TrustFault } from '@bulla/trust/fault/fault';
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { outputOption } from '../options/output.ts';
import type { Api } from './api.ts';
import { openPlace, type PlaceFlags } from './place.ts';

/** The options that say which running server a command asks. */
export type ServerFlags = Pick<PlaceFlags, 'server' | 'tokenFile' | 'cacert'> & {
  readonly output: 'text' | 'json';
};

/** Declares which running server a command asks, and how its answer is printed. */
export function serverOptions(command: Command): Command {
  return command
    .option('--server <url>', 'a running server (or BULLA_SERVER); its token is in BULLA_TOKEN')
    .option('--token-file <file>', 'file whose first line is the token')
    .option('--cacert <file>', 'PEM file of the authority of the server’s certificate')
    .addOption(outputOption(command));
}

/** A command of this name below `command` that only a running server can answer. */
export function addServerCommand(command: Command, name: string, description: string): Command {
  return serverOptions(command.command(name).description(description));
}

/** The server that the flags name. Throws `usage.invalid` when they name none, `server.*`. */
export async function openServer(flags: ServerFlags, context: CliContext): Promise<Api> {
  if (flags.server !== undefined || (context.env['BULLA_SERVER'] ?? '') !== '') {
    return openPlace(flags, context);
  }
  throw new TrustFault(
    'usage.invalid',
    'this is asked of a running server, and none was named',
    'Give --server URL, or set BULLA_SERVER.',
  );
}
