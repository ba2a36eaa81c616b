import { createHash } from 'node:crypto';
import { globSync, readFileSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
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

const START = 'packages/cli/src/start.ts';
/** What containerd runs: `bulla node install-verifier` writes it with an interpreter before it. */
const VERIFIER = 'packages/cli/src/containerd-verifier.ts';

/** The form of the CLI's files: CommonJS, whose compiled code can be kept beside it. */
const PROGRAM = {
  format: 'cjs',
  // import() becomes require(), which `start.ts` hands in.
  supported: { 'dynamic-import': false },
  define: { 'import.meta.url': 'module.url' },
} as const satisfies BuildOptions;

/**
 * Bundles the CLI into `out`, all files flat: `main.js` (start.ts), which loads `program.js`
 * (main.ts), one whole file for each command, one for each large dependency that only an `import()`
 * reaches, and one for each worker. A command's file repeats what it shares with others: loading one
 * file of the right size is several times faster than loading the fifty chunks into which sharing
 * would cut it.
 */
export async function bundleCommands(root: string, out: string): Promise<string> {
  const list = readFileSync(join(root, 'packages/cli/src/commands/list.ts'), 'utf8');
  const commands = [...list.matchAll(/import\('\.\/([a-z-]+\.ts)'\)/g)].map(
    ([, name]) => `packages/cli/src/commands/${name}`,
  );
  const libraries = new Map<string, string>();
  const plugins = [externalCommands, externalLibraries(libraries)];
  const named: readonly (readonly [string, string])[] = [
    ['packages/cli/src/main.ts', 'program'],
    ...commands.map((path) => [path, '[name]'] as const),
  ];
  const parts = await Promise.all(
    named.map(([entry, entryNames]) =>
      run(root, out, { ...PROGRAM, entryPoints: [entry], entryNames, plugins }),
    ),
  );
  for (const [name, specifier] of libraries) {
    const stdin = {
      contents: `export * from '${specifier}';`,
      resolveDir: join(root, 'packages/trust'),
    };
    parts.push(await run(root, out, { ...PROGRAM, stdin, outfile: `${out}/${name}` }));
  }
  const loaded: Bundled[] = parts.map(({ files, inputs }) => ({
    files: files.map(asLoaded),
    inputs,
  }));
  const workersOptions = { ...PROGRAM, entryPoints: [...workers(root)], entryNames: '[name]' };
  loaded.push(await run(root, out, workersOptions));
  loaded.push(await run(root, out, { format: 'cjs', entryPoints: [START], entryNames: 'main' }));
  loaded.push(await run(root, out, { entryPoints: [VERIFIER], entryNames: '[name]' }));
  return finish(root, out, loaded, [
    { path: 'package.json', bytes: Buffer.from('{ "type": "commonjs" }\n') },
    ...consoleFiles(root),
  ]);
}

/** The console as Vite built it: `bulla up` serves it from beside itself. */
function consoleFiles(root: string): readonly BuiltFile[] {
  const folder = join(root, 'packages/console/dist');
  return globSync('**/*.*', { cwd: folder })
    .filter((path) => statSync(join(folder, path)).isFile())
    .map((path) => ({ path: join('console', path), bytes: readFileSync(join(folder, path)) }));
}

/** A file as `start.ts` loads it: the SHA-256 of its content, cut to 32 digits, then one function. */
function asLoaded({ path, bytes }: BuiltFile): BuiltFile {
  const body = `(function(exports,require,module){${Buffer.from(bytes).toString('utf8')}\n})`;
  // start.ts reads the file byte by byte.
  if (/[^\0-\x7f]/.test(body)) throw new Error(`${path} is not ASCII`);
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 32);
  return { path, bytes: Buffer.from(`//${hash}\n${body}`) };
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
        const own = /^(?:node:|@bulla\/|commander$)/.test(path);
        if (kind !== 'dynamic-import' || own || importer.includes('node_modules')) return null;
        const name = `library-${path.replace(/^@/, '').replace(/[/.]/g, '-').replace(/-js$/, '')}.js`;
        found.set(name, path);
        return { path: `./${name}`, external: true };
      });
    },
  };
}

function finish(
  root: string,
  out: string,
  parts: readonly Bundled[],
  more: readonly BuiltFile[] = [],
): string {
  const files = parts.flatMap((part) => part.files);
  const notices = thirdPartyNotices(root, [...new Set(parts.flatMap((part) => part.inputs))]);
  const extra: readonly BuiltFile[] = [
    ...more,
    { path: 'THIRD-PARTY.txt', bytes: Buffer.from(notices) },
    { path: 'LICENSE', bytes: readFileSync(join(root, 'LICENSE')) },
  ];
  const changes = publish(join(root, out), [...files, ...extra], ['code']);
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
