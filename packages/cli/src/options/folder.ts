import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { quote, systemReason, TrustFault } from '@bulla/trust/fault/fault';

/**
 * Writes files into a folder that is not there yet, or empty: all of them or none, for they are written
 * beside it and moved at once. Throws `usage.file`.
 */
export async function writeFolder(
  folder: string,
  files: ReadonlyMap<string, string>,
): Promise<void> {
  const target = resolve(folder);
  const temporary = join(dirname(target), `.bulla-${randomUUID()}.tmp`);
  try {
    await mkdir(dirname(target), { recursive: true });
    for (const [path, text] of files) {
      const file = join(temporary, path);
      await mkdir(dirname(file), { recursive: true });
      await using handle = await open(file, 'wx');
      await handle.writeFile(text);
      await handle.sync();
    }
    // A folder takes the place of an empty one, and of nothing else.
    await rename(temporary, target);
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true });
    throw new TrustFault(
      'usage.file',
      `cannot write the folder ${quote(folder)}: ${systemReason(cause)}`,
      'Name a folder that is not there yet, or an empty one.',
      { cause },
    );
  }
}
