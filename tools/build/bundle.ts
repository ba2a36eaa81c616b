import { globSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { thirdPartyNotices } from './notices.ts';
import { type BuiltFile, kibibytes, publish } from './publish.ts';

/**
 * Bundles `packages/<name>/src/main.ts` and every worker with all dependencies into `out`: ESM with
 * splitting, so that what only an `import()` reaches stays in a chunk of its own and costs nothing
 * at start. All files lie flat in `out`: a worker is found as `new URL('./<its name>.js',
 * import.meta.url)` from whichever chunk its caller was put in.
 */
export async function bundle(root: string, name: string, out: string): Promise<string> {
  const result = await build({
    absWorkingDir: root,
    entryPoints: [`packages/${name}/src/main.ts`, ...workers(root)],
    outdir: out,
    entryNames: '[name]',
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    conditions: ['@bulla/source'],
    minify: true,
    legalComments: 'none',
    metafile: true,
    write: false,
    logLevel: 'warning',
  });
  const files: BuiltFile[] = result.outputFiles.map(({ path, contents }) => ({
    path: relative(join(root, out), path),
    bytes: withRequire(contents),
  }));
  const notices = thirdPartyNotices(root, Object.keys(result.metafile.inputs));
  files.push(
    { path: 'THIRD-PARTY.txt', bytes: Buffer.from(notices) },
    { path: 'LICENSE', bytes: readFileSync(join(root, 'LICENSE')) },
  );
  const changes = publish(join(root, out), files);
  const total = result.outputFiles.reduce((sum, { contents }) => sum + contents.length, 0);
  const start = startSize(result.metafile, `${out}/main.js`);
  return `${out}: ${files.length} files, ${kibibytes(total)}, of which start-up loads ${kibibytes(start)}, ${changes} changed`;
}

/** Files that run in a thread of their own: `worker.ts` and `<what>-worker.ts`. */
function workers(root: string): readonly string[] {
  const paths = globSync('packages/{trust,server,cli}/src/**/{worker,*-worker}.ts', { cwd: root });
  const names = new Set(paths.map((path) => basename(path)));
  if (names.size < paths.length) throw new Error(`two workers share a name: ${paths.join(', ')}`);
  return paths;
}

const REQUIRE_SHIM = 'Dynamic require of';
const REQUIRE_BANNER = `import{createRequire as bullaRequire}from"node:module";const require=bullaRequire(import.meta.url);`;

/** CommonJS dependencies ask for Node's own modules by `require`, which an ES module does not have. */
function withRequire(contents: Uint8Array): Uint8Array {
  const bytes = Buffer.from(contents);
  if (!bytes.includes(REQUIRE_SHIM)) return bytes;
  return Buffer.concat([Buffer.from(REQUIRE_BANNER), bytes]);
}

/** Bytes that Node loads before the first command runs: `entry` and what it imports statically. */
function startSize({ outputs }: Metafile, entry: string): number {
  const seen = new Set<string>();
  const queue = [entry];
  for (const path of queue) {
    if (seen.has(path)) continue;
    seen.add(path);
    for (const { kind, path: next, external } of outputs[path]?.imports ?? []) {
      if (kind === 'import-statement' && external !== true) queue.push(next);
    }
  }
  return [...seen].reduce((sum, path) => sum + (outputs[path]?.bytes ?? 0), 0);
}
