import { resolve } from 'node:path';
import type { ServerConfig } from '@bulla/server/config/config';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { readFileBounded } from '../options/files.ts';
import { outputOption } from '../options/output.ts';
import type { Api } from './api.ts';

/** The options that say which server a command is about, as commander gives them. */
export interface PlaceFlags {
  readonly server?: string;
  readonly tokenFile?: string;
  readonly cacert?: string;
  readonly data?: string;
  readonly config?: string;
}

const DATA = './bulla-data';
const TOKEN_MOST_BYTES = 1 << 16;
const CA_MOST_BYTES = 4 << 20;

/** Declares where a server is asked, or on which of its stores a command works offline. */
export function addPlaceOptions(command: Command): Command {
  return command
    .option('--server <url>', 'a running server (or BULLA_SERVER); its token is in BULLA_TOKEN')
    .option('--token-file <file>', 'file whose first line is the token')
    .option('--cacert <file>', 'PEM file of the authority of the server’s certificate')
    .option('--data <folder>', `offline, on a data folder (default: ${DATA})`)
    .option('--config <file>', 'offline, on the store of this bulla.yaml');
}

/** A command of this name below `command` that asks a server, or works on a store, and prints. */
export function addPlaceCommand(command: Command, name: string, description: string): Command {
  const output = outputOption(command);
  return addPlaceOptions(command.command(name).description(description)).addOption(output);
}

/**
 * Opens the place that the flags name: a server, else the store of a configuration, else a data
 * folder. Throws `usage.invalid` for two at once, `server.*`, `config.*`, `storage.locked` where a
 * server runs on the folder.
 */
export async function openPlace(flags: PlaceFlags, context: CliContext): Promise<Api> {
  const named = [flags.server, flags.data, flags.config].filter((one) => one !== undefined);
  if (named.length > 1) {
    throw new TrustFault('usage.invalid', 'give one of --server, --data and --config');
  }
  const { BULLA_SERVER } = context.env;
  const url =
    flags.server ?? (named.length === 0 && BULLA_SERVER !== '' ? BULLA_SERVER : undefined);
  if (url !== undefined) {
    const [{ openApiClient }, token, ca] = await Promise.all([
      import('./api-client.ts'),
      tokenOf(flags, context),
      flags.cacert === undefined
        ? null
        : readFileBounded(flags.cacert, CA_MOST_BYTES, context.signal),
    ]);
    return openApiClient({ url, token, ca, signal: context.signal });
  }
  if (flags.tokenFile !== undefined || flags.cacert !== undefined) {
    const says = '--token-file and --cacert are for a running server, and none was named';
    throw new TrustFault('usage.invalid', says, 'Give --server URL.');
  }
  const [{ openOfflineApi }, config] = await Promise.all([
    import('./offline-api.ts'),
    configOf(flags, context),
  ]);
  return openOfflineApi(config, context);
}

async function tokenOf({ tokenFile }: PlaceFlags, { env, signal }: CliContext): Promise<string> {
  if (tokenFile === undefined) {
    const { BULLA_TOKEN = '' } = env;
    if (BULLA_TOKEN !== '') return BULLA_TOKEN;
    throw new TrustFault('server.token-missing', 'there is no token to ask the server with');
  }
  const bytes = await readFileBounded(tokenFile, TOKEN_MOST_BYTES, signal);
  return Buffer.from(bytes).toString('utf8').split(/\r?\n/, 1)[0] ?? '';
}

async function configOf(flags: PlaceFlags, { env }: CliContext): Promise<ServerConfig> {
  if (flags.config !== undefined) {
    const { loadConfig } = await import('@bulla/server/config/load');
    return (await loadConfig(flags.config, env)).config;
  }
  const { defaultConfig } = await import('@bulla/server/config/parse');
  const data = resolve(flags.data ?? DATA);
  return { ...defaultConfig(data), data };
}
