import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { COMMANDS } from '../../src/commands/list.ts';
import { bulla, emptyFolder } from './run.ts';

/** What bash offers for a line whose last word is being typed. */
const CASES = [
  { line: ['bulla', 'ver'], expect: ['verify'] },
  { line: ['bulla', 'key', 'ge'], expect: ['generate'] },
  { line: ['bulla', 'verify', '--tree', ''], expect: ['named', 'index', 'leaf', 'any', 'both'] },
  {
    line: ['bulla', 'verify', 'image', '--certificate-oidc-issuer-'],
    expect: ['--certificate-oidc-issuer-regexp'],
  },
  { line: ['bulla', 'completion', 'z'], expect: ['zsh'] },
  { line: ['bulla', 'doctor', 'reg'], expect: ['registry'] },
  { line: ['bulla', 'record', 'pr'], expect: ['prune'] },
  { line: ['bulla', 'user', 'add', 'bob', '--role', 'ad'], expect: ['admin'] },
  { line: ['bulla', 'decisions', 'list', '--effect', 'd'], expect: ['deny'] },
];

test('bash completes commands, options and their values', async (t) => {
  await using folder = await emptyFolder();
  const script = join(folder.path, 'bulla.bash');
  const run = await bulla(['completion', 'bash']);
  assert.equal(run.code, 0, run.err);
  await writeFile(script, run.out);
  for (const { line, expect } of CASES) {
    await t.test(line.join(' '), () => {
      const words = line.map((word) => `'${word}'`).join(' ');
      const ask = `source ${script}; COMP_WORDS=(${words}); COMP_CWORD=${line.length - 1}; _bulla; printf '%s\n' "\${COMPREPLY[@]}"`;
      const answer = execFileSync('bash', ['-c', ask], { encoding: 'utf8', timeout: 10_000 });
      assert.deepEqual(answer.trim().split('\n'), expect);
    });
  }
});

test('every command is in every script', async (t) => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    await t.test(shell, async () => {
      const { out } = await bulla(['completion', shell]);
      for (const { name } of COMMANDS) assert.match(out, new RegExp(`\\b${name}\\b`));
    });
  }
});
