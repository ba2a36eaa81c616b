import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '..');

// A guard that passes blind is worse than none: each rule must report what is planted for it.
const PLANTED = `
export async function ask(): Promise<boolean> {
  return true;
}
export async function misuse(kind: 'a' | 'b'): Promise<number> {
  ask();
  await 3;
  if (ask()) return 1;
  switch (kind) {
    case 'a':
      return 2;
  }
  return 3;
}
`;

const TSCONFIG = '{ "compilerOptions": { "strict": true, "types": [] } }';

const RULES = [
  'no-floating-promises',
  'await-thenable',
  'no-misused-promises',
  'switch-exhaustiveness-check',
];

test('each type-aware rule reports its planted case', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'bulla-lint-'));
  try {
    await writeFile(join(folder, 'planted.ts'), PLANTED);
    await writeFile(join(folder, 'tsconfig.json'), TSCONFIG);
    const output = await oxlint(folder);
    for (const rule of RULES) {
      await t.test(rule, () => assert.ok(output.includes(`(${rule})`), output));
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

function oxlint(folder: string): Promise<string> {
  const program = join(ROOT, 'node_modules/oxlint/bin/oxlint');
  const config = join(ROOT, '.oxlintrc.json');
  const args = [program, '--type-aware', '--config', config, '.'];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: folder, timeout: 60_000 }, (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    );
  });
}
