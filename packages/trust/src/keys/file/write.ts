import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { quote, TrustFault } from '../../fault/fault.ts';

/** One file to write; a secret one is readable by its owner only. */
export interface KeyFileText {
  readonly path: string;
  readonly text: string;
  readonly secret: boolean;
}

/**
 * Writes the files so that each is there whole or not at all, secret ones with mode 0600, others
 * with 0644, made durable before it returns. Without `overwrite` an existing file gives
 * `key.exists`, and then none of the new files is left. Throws `usage.file` for other failures.
 */
export async function writeKeyFiles(
  files: readonly KeyFileText[],
  options: { readonly overwrite?: boolean } = {},
): Promise<void> {
  const overwrite = options.overwrite ?? false;
  const staged: { readonly path: string; readonly temporary: string }[] = [];
  const placed: string[] = [];
  try {
    for (const file of files) staged.push({ path: file.path, temporary: await stage(file) });
    for (const { path, temporary } of staged) {
      await place(temporary, path, overwrite);
      placed.push(path);
    }
    for (const folder of new Set(files.map(({ path }) => dirname(path)))) await syncFolder(folder);
  } catch (cause) {
    // Half a key pair is worse than none; what stood there before is never touched.
    if (!overwrite) await Promise.all(placed.map(remove));
    throw asWriteFault(cause);
  } finally {
    await Promise.all(staged.map(({ temporary }) => remove(temporary)));
  }
}

/** Writes beside the target, under a name of its own, and brings it to the disk. */
async function stage({ path, text, secret }: KeyFileText): Promise<string> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  const mode = secret ? 0o600 : 0o644;
  const file = await open(temporary, 'wx', mode);
  try {
    await file.writeFile(text);
    await file.chmod(mode);
    await file.sync();
  } catch (error) {
    await remove(temporary);
    throw error;
  } finally {
    await file.close();
  }
  return temporary;
}

async function place(temporary: string, path: string, overwrite: boolean): Promise<void> {
  if (overwrite) return await rename(temporary, path);
  try {
    // link() fails when the name is taken, which rename() does not.
    await link(temporary, path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw error;
    // Some file systems have no links; the exclusive copy is not atomic but overwrites nothing.
    await copyFile(temporary, path, constants.COPYFILE_EXCL);
  }
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function remove(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch {
    // It was renamed, or never made.
  }
}

function asWriteFault(cause: unknown): TrustFault {
  const message = cause instanceof Error ? cause.message : String(cause);
  const taken = codeOf(cause) === 'EEXIST';
  return new TrustFault(
    taken ? 'key.exists' : 'usage.file',
    `the key was not written: ${quote(message)}`,
    undefined,
    { cause },
  );
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
