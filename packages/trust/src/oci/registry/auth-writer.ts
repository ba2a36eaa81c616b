import { randomUUID } from 'node:crypto';
import { mkdir, open, realpath, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { quote, TrustFault } from '../../fault/fault.ts';
import { systemReason } from '../system-error.ts';

/**
 * Replaces the file at `path` by `text`, readable by its owner only (0600), atomically; a link is
 * kept and its target replaced. Throws `usage.file`.
 */
export async function writePrivately(path: string, text: string): Promise<void> {
  let temporary: string | undefined;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const target = await realpath(path).catch(() => path);
    temporary = `${target}.${randomUUID()}.tmp`;
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (cause) {
    if (temporary !== undefined) await rm(temporary, { force: true });
    throw new TrustFault(
      'usage.file',
      `cannot write ${quote(path)}: ${systemReason(cause)}`,
      undefined,
      { cause },
    );
  }
}
