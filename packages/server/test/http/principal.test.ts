import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { mayAct, type RepositoryScope } from '../../src/http/principal.ts';

const ROWS: readonly {
  readonly scope: string;
  readonly name: string;
  readonly expect: boolean;
}[] = [
  { scope: '**', name: 'a/b', expect: true },
  { scope: 'a', name: 'a', expect: true },
  { scope: 'a', name: 'a/b', expect: false },
  { scope: 'a', name: 'aa', expect: false },
  { scope: 'a.b', name: 'axb', expect: false },
  { scope: 'a/*', name: 'a/b', expect: true },
  { scope: 'a/*', name: 'a/b/c', expect: false },
  { scope: 'a/**', name: 'a/b/c', expect: true },
];

for (const { scope, name, expect } of ROWS) {
  test(`${scope} is ${expect ? '' : 'not '}about ${name}`, () => {
    const repositories = [{ repository: scope, actions: ['pull'] as const }];
    assert.equal(mayAct({ repositories }, name, 'pull'), expect);
    assert.equal(mayAct({ repositories }, name, 'push'), false);
  });
}

function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
  return process.memoryUsage().heapUsed;
}

/** What whoever asks for tokens may have them name, and what globs may be given to an API token. */
for (const tail of ['', '*']) {
  test(`rights of many long names${tail} take no more memory than the names`, () => {
    const principals = Array.from({ length: 300 }, (_, at) => {
      const repositories = Array.from({ length: 38 }, (_1, scope): RepositoryScope => {
        return { repository: `${'a'.repeat(240)}${at}x${scope}${tail}`, actions: ['pull'] };
      });
      return { repositories };
    });
    const before = heapBytes();
    for (const one of principals) assert.equal(mayAct(one, 'b', 'pull'), false);
    // Compiled and kept with each, they were a megabyte a token.
    assert.ok(heapBytes() - before < 100 << 20);
    assert.equal(principals.length, 300);
  });
}
