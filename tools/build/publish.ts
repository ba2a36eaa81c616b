import {
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

/** A file of a build: its path below the target folder and its bytes. */
export interface BuiltFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * Makes `folder` hold exactly `files` (but leaves the subfolders named in `keep` alone): writes those
 * that differ, each by rename so that no reader sees half a file, then removes what is left over.
 * Returns how many files were written or removed.
 */
export function publish(
  folder: string,
  files: readonly BuiltFile[],
  keep: readonly string[] = [],
): number {
  const wanted = new Set(files.map(({ path }) => path));
  let changes = 0;
  for (const { path, bytes } of files) {
    const target = join(folder, path);
    if (existsSync(target) && readFileSync(target).equals(bytes)) continue;
    mkdirSync(dirname(target), { recursive: true });
    const fresh = `${target}.${process.pid}.new`;
    writeFileSync(fresh, bytes);
    renameSync(fresh, target);
    changes += 1;
  }
  for (const path of globSync('**', { cwd: folder })) {
    const kept = keep.some((name) => path === name || path.startsWith(`${name}/`));
    if (wanted.has(path) || kept || statSync(join(folder, path)).isDirectory()) continue;
    rmSync(join(folder, path));
    changes += 1;
  }
  return changes;
}

/** `1234567` as `1205.6 KiB`. */
export function kibibytes(sizeBytes: number): string {
  return `${(sizeBytes / 1024).toFixed(1)} KiB`;
}
