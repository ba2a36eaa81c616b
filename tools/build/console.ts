import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { brotliCompressSync, gzipSync, constants as zlib } from 'node:zlib';
import { thirdPartyNotices } from './notices.ts';
import { type BuiltFile, kibibytes, publish } from './publish.ts';

/**
 * Builds `packages/console` with Vite into its `dist`, with a brotli and a gzip form beside each file
 * that gains by it, and the notices of all that went in. Does nothing when no source has changed
 * since. Returns the line to print, or null when the package has no source; throws when Vite fails,
 * which has printed why by then.
 */
export function buildConsole(root: string): string | null {
  const folder = join(root, 'packages/console');
  const out = join(folder, 'dist');
  if (!existsSync(join(folder, 'index.html'))) return null;
  const print = fingerprint(root, folder);
  const noted = join(root, '.cache', 'console');
  if (existsSync(join(out, 'index.html')) && existsSync(noted)) {
    if (readFileSync(noted, 'utf8') === print) return 'packages/console/dist: nothing changed';
  }
  const files = runVite(root, folder);
  const forms = files.flatMap(compressedForms);
  const changes = publish(out, [...files, ...forms]);
  writeFileSync(noted, print);
  const scripts = forms.filter(({ path }) => path.endsWith('.js.gz'));
  const gzipped = scripts.reduce((sum, { bytes }) => sum + bytes.length, 0);
  return `packages/console/dist: ${files.length} files, scripts ${kibibytes(gzipped)} gzipped, ${changes} changed`;
}

function runVite(root: string, folder: string): readonly BuiltFile[] {
  mkdirSync(join(root, '.cache'), { recursive: true });
  const emitted = mkdtempSync(join(root, '.cache', 'console-'));
  try {
    const vite = join(root, 'node_modules/vite/bin/vite.js');
    const args = [vite, 'build', '--logLevel', 'warn', '--emptyOutDir', '--outDir', emitted];
    // The condition of the sources is for Node: the page takes no value from another package.
    const run = spawnSync(process.execPath, args, { cwd: folder, stdio: 'inherit' });
    if (run.status !== 0) throw new Error('vite refuses packages/console');
    const modules: readonly string[] = JSON.parse(readFileSync(join(emitted, MODULES), 'utf8'));
    const inputs = modules.map((path) => relative(root, path.replace(/^\0|\?.*$/g, '')));
    const notices = thirdPartyNotices(root, [...new Set(inputs)]);
    return [
      ...globSync('**/*', { cwd: emitted })
        .filter((path) => path !== MODULES && statSync(join(emitted, path)).isFile())
        .map((path) => ({ path, bytes: readFileSync(join(emitted, path)) })),
      { path: 'THIRD-PARTY.txt', bytes: Buffer.from(notices) },
      { path: 'LICENSE', bytes: readFileSync(join(root, 'LICENSE')) },
    ];
  } finally {
    rmSync(emitted, { recursive: true });
  }
}

const MODULES = 'modules.json';
const WORTH_BYTES = 1024;

/** The compressed forms of a text file, when it is large enough to gain by them. */
function compressedForms({ path, bytes }: BuiltFile): readonly BuiltFile[] {
  if (!/\.(?:html|js|css|svg)$/.test(path) || bytes.length < WORTH_BYTES) return [];
  const params = { [zlib.BROTLI_PARAM_QUALITY]: 11, [zlib.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  return [
    { path: `${path}.br`, bytes: brotliCompressSync(bytes, { params }) },
    { path: `${path}.gz`, bytes: gzipSync(bytes, { level: 9 }) },
  ];
}

/** A text that changes with every file that the build reads. */
function fingerprint(root: string, folder: string): string {
  const hash = createHash('sha256');
  const own = globSync('{src,public}/**/*', { cwd: folder }).map((path) => join(folder, path));
  const around = ['index.html', 'vite.config.ts', 'package.json'].map((path) => join(folder, path));
  const tools = ['package-lock.json', 'tools/build/console.ts'].map((path) => join(root, path));
  for (const path of [...own, ...around, ...tools].sort()) {
    if (!statSync(path).isFile()) continue;
    const bytes = readFileSync(path);
    hash.update(`${relative(root, path)} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex');
}
