import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { quote, TrustFault } from '@bulla/trust/fault/fault';

/** More than anyone has, and soon counted. */
const MAX_FILES = 10_000;

/**
 * The files of policy tests under the given paths, each once, in order: a file stands for itself, a
 * folder for every `*.test.yaml`, `*.test.yml` and `*.test.json` in it and below, without hidden
 * ones. Throws `usage.file` for a path that is gone and for a folder without any.
 */
export async function findTestFiles(paths: readonly string[]): Promise<readonly string[]> {
  const files: string[] = [];
  for (const path of paths) {
    const found = await filesUnder(path);
    if (found.length === 0) {
      throw new TrustFault(
        'usage.file',
        `${quote(path)} holds no *.test.yaml`,
        'Name a file of tests, or a folder that has some.',
      );
    }
    files.push(...found.filter((file) => !files.includes(file)));
  }
  return files;
}

async function filesUnder(path: string): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const files: string[] = [];
    await walk(path, files);
    return files;
  } catch (cause) {
    if (cause instanceof TrustFault) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TrustFault('usage.file', `cannot read ${quote(path)}: ${quote(reason)}`, undefined, {
      cause,
    });
  }
}

/** Links are not followed: they could lead around in a circle. */
async function walk(folder: string, files: string[]): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await walk(path, files);
    else if (/\.test\.(yaml|yml|json)$/.test(entry.name)) files.push(path);
    if (files.length > MAX_FILES) {
      throw new TrustFault('usage.file', `expected at most ${MAX_FILES} files of tests`);
    }
  }
}
