import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type BuiltFile, kibibytes, publish } from './publish.ts';

/**
 * Emits `packages/<name>/src` as `.js` and `.d.ts` into its `dist` with tsc, together with the data
 * files that lie beside the sources. Returns the line to print, or null when the package has no
 * source yet; throws when tsc reports an error, which it has printed by then.
 */
export function compile(root: string, name: string): string | null {
  const folder = join(root, 'packages', name);
  if (globSync('src/**/*.ts', { cwd: folder }).length === 0) return null;
  mkdirSync(join(root, '.cache'), { recursive: true });
  const emitted = mkdtempSync(join(root, '.cache', `emit-${name}-`));
  try {
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const project = join(folder, 'tsconfig.build.json');
    const run = spawnSync(process.execPath, [tsc, '-p', project, '--outDir', emitted], {
      stdio: 'inherit',
    });
    if (run.status !== 0) throw new Error(`tsc refuses packages/${name}`);
    // tsc emits imported JSON in a form of its own; the source's bytes take its place.
    const data = filesBelow(join(folder, 'src'), DATA_FILES);
    const names = new Set(data.map(({ path }) => path));
    const code = filesBelow(emitted, '**/*').filter(({ path }) => !names.has(path));
    const files = [...code, ...data];
    // The server's bundle is put there by the next step.
    const changes = publish(join(folder, 'dist'), files, ['bundle']);
    const sizeBytes = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
    return `packages/${name}/dist: ${files.length} files, ${kibibytes(sizeBytes)}, ${changes} changed`;
  } finally {
    rmSync(emitted, { recursive: true });
  }
}

const DATA_FILES = '**/*.{json,pem,der,crt,sql,yaml}';

function filesBelow(folder: string, pattern: string): BuiltFile[] {
  return globSync(pattern, { cwd: folder })
    .filter((path) => statSync(join(folder, path)).isFile())
    .map((path) => ({ path, bytes: readFileSync(join(folder, path)) }));
}
