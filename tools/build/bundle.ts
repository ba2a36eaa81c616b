import { globSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { lazyBuiltins } from './lazy-builtins.ts';
import { thirdPartyNotices } from './notices.ts';
import { type BuiltFile, kibibytes, publish } from './publish.ts';

const OPTIONS = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  conditions: ['@bulla/source'],
  minify: true,
  legalComments: 'none',
  metafile: true,
  write: false,
  logLevel: 'warning',
} as const satisfies BuildOptions;

interface Bundled {
  readonly files: readonly BuiltFile[];
  /** Paths of the sources, from the root. */
  readonly inputs: readonly string[];
}

async function run(root: string, out: string, options: BuildOptions): Promise<Bundled> {
  const target = options.outfile === undefined ? { outdir: out } : {};
  const built = await build({ ...OPTIONS, absWorkingDir: root, ...target, ...options });
  return {
    files: (built.outputFiles ?? []).map(({ path, contents }) => ({
      path: relative(join(root, out), path),
      bytes: withRequire(contents),
    })),
    inputs: Object.keys(built.metafile?.inputs ?? {}),
  };
}

/**
 * Bundles the CLI into `out`, all files flat: `main.js`, one whole file for each command, one for
 * each large dependency that only an `import()` reaches, and one for each worker. A command's file
 * repeats what it shares with others: loading one file of the right size is several times faster
 * than loading the fifty chunks into which sharing would cut it.
 */
export async function bundleCommands(root: string, out: string): Promise<string> {
  const commands = globSync('packages/cli/src/commands/*.ts', { cwd: root }).filter((path) =>
    readFileSync(join(root, path), 'utf8').includes('export function configure'),
  );
  const libraries = new Map<string, string>();
  const plugins = [lazyBuiltins, externalCommands, externalLibraries(libraries)];
  const parts = await Promise.all(
    ['packages/cli/src/main.ts', ...commands].map((entry) =>
      run(root, out, { entryPoints: [entry], entryNames: '[name]', plugins }),
    ),
  );
  for (const [name, specifier] of libraries) {
    const stdin = {
      contents: `export * from '${specifier}';`,
      resolveDir: join(root, 'packages/trust'),
    };
    parts.push(await run(root, out, { stdin, outfile: `${out}/${name}` }));
  }
  parts.push(await run(root, out, { entryPoints: [...workers(root)], entryNames: '[name]' }));
  return finish(root, out, parts);
}

/** The commands of `commands/list.ts` become files beside `main.js`. */
const externalCommands: Plugin = {
  name: 'external-commands',
  setup(build) {
    build.onResolve({ filter: /^\.\/[a-z-]+\.ts$/ }, ({ path, kind, importer }) =>
      kind === 'dynamic-import' && importer.endsWith('/commands/list.ts')
        ? { path: path.replace(/\.ts$/, '.js'), external: true }
        : null,
    );
  },
};

/** Dependencies that are loaded by `import()` become files of their own, noted in `found`. */
function externalLibraries(found: Map<string, string>): Plugin {
  return {
    name: 'external-libraries',
    setup(build) {
      build.onResolve({ filter: /^(@[a-z-]+\/|[a-z])/ }, ({ path, kind, importer }) => {
        const own = path.startsWith('@bulla/') || path === 'commander';
        if (kind !== 'dynamic-import' || own || importer.includes('node_modules')) return null;
        const name = `library-${path.replace(/^@/, '').replace(/[/.]/g, '-').replace(/-js$/, '')}.js`;
        found.set(name, path);
        return { path: `./${name}`, external: true };
      });
    },
  };
}

/** Bundles the server's program and its workers into `out`: ESM with splitting. */
export async function bundleServer(root: string, out: string): Promise<string> {
  const entryPoints = ['packages/server/src/main.ts', ...workers(root)];
  const names = { entryNames: '[name]', chunkNames: '[name]-[hash]' };
  return finish(root, out, [await run(root, out, { entryPoints, splitting: true, ...names })]);
}

function finish(root: string, out: string, parts: readonly Bundled[]): string {
  const files = parts.flatMap((part) => part.files);
  const notices = thirdPartyNotices(root, [...new Set(parts.flatMap((part) => part.inputs))]);
  const extra: readonly BuiltFile[] = [
    { path: 'THIRD-PARTY.txt', bytes: Buffer.from(notices) },
    { path: 'LICENSE', bytes: readFileSync(join(root, 'LICENSE')) },
  ];
  const changes = publish(join(root, out), [...files, ...extra]);
  const total = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const largest = Math.max(...files.map(({ bytes }) => bytes.length));
  return `${out}: ${files.length} files, ${kibibytes(total)}, the largest ${kibibytes(largest)}, ${changes} changed`;
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
