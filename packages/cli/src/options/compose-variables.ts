import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { Variables } from '@bulla/trust/images/variables';
import { readFileBounded } from './files.ts';

const MAX_BYTES = 1 << 20;

/**
 * The variables of a Compose file: those of the environment, which come first for Compose as well.
 * Whoever wrote the file may have put a `.env` beside it, which Compose reads and this does not: for a
 * name that the environment lacks and the `.env` has, it throws `images.variable-unset`; `usage.file`
 * for a `.env` that cannot be read.
 */
export async function composeVariables(
  file: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Variables> {
  const path = join(file === '-' ? '.' : dirname(file), '.env');
  const isThere = (await stat(path).catch(() => null)) !== null;
  const text = isThere ? Buffer.from(await readFileBounded(path, MAX_BYTES)).toString('utf8') : '';
  const names = new Set(text.match(/[A-Za-z_][A-Za-z0-9_]*/g));
  return (name) => {
    const value = env[name];
    if (value !== undefined || !names.has(name)) return value;
    throw new TrustFault(
      'images.variable-unset',
      `expected the value of ${quote(name)} in the environment, found it in ${quote(path)}`,
      'Gate what `docker compose config` prints, or set the variable in the environment.',
    );
  };
}
