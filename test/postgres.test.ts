import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requirePeer } from './peers.ts';
import { startPostgres } from './postgres.ts';

test('Debian’s PostgreSQL starts with fsync, keeps rows over a crash, and stops', async (t) => {
  const program = requirePeer(t, 'postgresql');
  if (program === null) return;
  const postgres = await startPostgres(program);
  try {
    assert.equal(await postgres.sql('show fsync'), 'on');
    await postgres.sql('create table kept (n int); insert into kept values (7)');
    await postgres.crash();
    await assert.rejects(postgres.sql('select 1'));
    await postgres.restart();
    assert.equal(await postgres.sql('select n from kept'), '7');
    assert.notEqual(await postgres.database(), await postgres.database());
  } finally {
    await postgres.close();
  }
  await assert.rejects(postgres.sql('select 1'));
  await postgres.close();
});

test('a program that does not start as a server is an error', async () => {
  await assert.rejects(startPostgres('/bin/false'), /initdb/);
});
