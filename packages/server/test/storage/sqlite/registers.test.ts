import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openSqlite } from '../../../src/storage/sqlite/open.ts';
import { keysQuery } from '../../../src/storage/sqlite/registers.ts';
import { temporaryFolder } from '../rooms.ts';

test('a page of keys is read from its beginning to its end, and no row behind it', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'tables.db');
  await (await openSqlite(path))[Symbol.asyncDispose]();
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const [from, to] = [Buffer.from('a'), Buffer.from('b')];
    const plans = [true, false].map((inclusive) => {
      const { sql, parameters } = keysQuery({ from, inclusive, to, limit: 10 });
      return database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...parameters);
    });
    for (const plan of plans) {
      assert.equal(plan.length, 1);
      assert.match(String(plan[0]?.['detail']), /^SEARCH registers .*\(key>\? AND key<\?\)$/);
    }
  } finally {
    database.close();
  }
});
