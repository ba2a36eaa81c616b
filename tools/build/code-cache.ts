import { globSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { kibibytes } from './publish.ts';
import { rehearse } from './rehearsal.ts';

/** What stands before the code in such a file; `record-code.cjs` writes it, `start.ts` compares. */
const HEADER_BYTES = 64;

/**
 * Leaves the compiled code of the CLI's files below them (`code/verify.js` for `verify.js`), for the
 * Node that builds; any other Node compiles anew. The code is recorded while each command runs as a
 * user would run it, so that it holds the functions that a run needs and no others. Does nothing
 * where every file has its code. A rehearsal that fails costs speed only: the returned line tells.
 */
export async function keepCompiledCode(root: string, out: string): Promise<string> {
  const folder = join(root, out);
  const scripts = globSync('*.js', { cwd: folder }).filter((name) => hashOf(folder, name) !== null);
  mkdirSync(join(folder, 'code'), { recursive: true });
  for (const name of globSync('*', { cwd: join(folder, 'code') })) {
    if (!hasCode(folder, name)) rmSync(codePath(folder, name));
  }
  const commands = scripts.filter((name) => !name.startsWith('library-'));
  const failures = commands.every((name) => hasCode(folder, name))
    ? []
    : await rehearse(root, join(folder, 'main.js'));
  const kept = scripts.filter((name) => hasCode(folder, name));
  const total = kept.reduce((sum, name) => sum + statSync(codePath(folder, name)).size, 0);
  const line = `${out}: compiled code of ${kept.length} of ${scripts.length} files, ${kibibytes(total)}`;
  return [line, ...failures.map((failure) => `  rehearsal failed: ${failure}`)].join('\n');
}

function codePath(folder: string, name: string): string {
  return join(folder, 'code', name);
}

/** The hash that a file which `start.ts` loads begins with; null for any other file. */
function hashOf(folder: string, name: string): string | null {
  const head = readFileSync(join(folder, name), 'latin1').slice(0, 35);
  return /^\/\/([0-9a-f]{32})\n$/.exec(head)?.[1] ?? null;
}

function hasCode(folder: string, name: string): boolean {
  try {
    const head = readFileSync(codePath(folder, name)).toString('latin1', 0, HEADER_BYTES);
    return head.trimEnd() === `${process.version} ${process.arch} ${hashOf(folder, name)}`;
  } catch {
    return false;
  }
}
