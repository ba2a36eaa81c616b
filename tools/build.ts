/**
 * `npm run build`: makes what is published. The library and the server as `.js` and `.d.ts` by tsc
 * (`packages/{trust,server}/dist`), the console by Vite, and the CLI, which carries the server and the
 * console, by esbuild. Writes only what changed, so a build that has nothing to do leaves running programs alone.
 */
import { join } from 'node:path';
import { bundleCommands } from './build/bundle.ts';
import { keepCompiledCode } from './build/code-cache.ts';
import { compile } from './build/compile.ts';
import { buildConsole } from './build/console.ts';

const ROOT = join(import.meta.dirname, '..');

const started = performance.now();
try {
  // The server's declarations are made against the library's, so the library comes first.
  for (const name of ['trust', 'server']) report(compile(ROOT, name));
  report(buildConsole(ROOT));
  report(await bundleCommands(ROOT, 'packages/cli/dist'));
  report(await keepCompiledCode(ROOT, 'packages/cli/dist'));
  console.log(`built in ${((performance.now() - started) / 1000).toFixed(1)} s`);
} catch (error) {
  console.error(`build: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

function report(line: string | null): void {
  if (line !== null) console.log(line);
}
