import { readFile } from 'node:fs/promises';
import { type Problem, problemLine } from '@bulla/trust/bytes/yaml/problem';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { ServerConfig } from './config.ts';
import { parseConfig } from './parse.ts';
import type { Environment } from './secret.ts';

/** A configuration that can be used, and remarks on it. */
export interface LoadedConfig {
  readonly config: ServerConfig;
  readonly warnings: readonly Problem[];
}

/**
 * Reads `bulla.yaml`. Throws `config.unreadable` for a file that cannot be read, and else the code of
 * the first problem, with every problem as a line of its message.
 */
export async function loadConfig(file: string, environment: Environment): Promise<LoadedConfig> {
  const { config, problems } = parseConfig(await readConfigFile(file), file, environment);
  if (config !== null) return { config, warnings: problems };
  const [first] = problems.filter(({ severity }) => severity === 'error');
  const lines = problems.map(problemLine).join('\n');
  throw new TrustFault(first?.code ?? 'config.invalid', lines, first?.remedy);
}

/** The bytes of a configuration file. Throws `config.unreadable`. */
export async function readConfigFile(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new TrustFault('config.unreadable', `cannot read ${quote(file)}`, undefined, { cause });
  }
}
