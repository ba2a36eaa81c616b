import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startRegistry } from '@bulla/server/registry';
import { bulla } from './run.ts';

test('doctor registry', async (t) => {
  await using registry = await startRegistry({ storage: 'memory' });
  const cases = [
    {
      name: 'a registry alone',
      args: [registry.host],
      expect: { code: 0, out: /answers \/v2\// },
    },
    {
      name: 'with --write, in a scratch repository',
      args: [registry.host, '--write', '-o', 'json'],
      expect: { code: 0, out: /"check": "registry\.tags-mutable",\s*"outcome": "pass"/ },
    },
    {
      name: 'one that is not there',
      args: ['127.0.0.1:1'],
      expect: { code: 3, out: /inconclusive .*registry\.base/ },
    },
    {
      name: '--repair without a repository',
      args: [registry.host, '--repair'],
      expect: { code: 2, out: /^$/ },
    },
    {
      name: 'a tag, which means nothing here',
      args: [`${registry.host}/app:v1`],
      expect: { code: 2, out: /^$/ },
    },
  ];
  for (const { name, args, expect } of cases) {
    await t.test(name, async () => {
      const run = await bulla(['doctor', 'registry', ...args]);
      assert.equal(run.code, expect.code, run.out + run.err);
      assert.match(run.out, expect.out);
    });
  }
});
