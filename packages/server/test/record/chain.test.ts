import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { entryHash, GENESIS, isChainHash } from '../../src/record/chain.ts';
import { createProblems, createWalk } from '../../src/record/walk.ts';

test('the hash of an entry is what the README says, and stays so', () => {
  const number = Buffer.from('0000000000000001', 'hex');
  const parts = [Buffer.from('bulla.dev/record/v1/entry\n'), Buffer.alloc(32), number, '{"é":1}'];
  const expected = createHash('sha256');
  for (const part of parts) expected.update(part);
  const hash = entryHash(GENESIS, 1, '{"é":1}');
  assert.equal(hash, expected.digest('hex'));
  assert.ok(isChainHash(hash) && !isChainHash(hash.toUpperCase()) && !isChainHash(hash.slice(1)));
});

test('place, order and content change the hash', () => {
  const one = entryHash(GENESIS, 1, '{}');
  const others = [
    entryHash(GENESIS, 2, '{}'),
    entryHash(one, 1, '{}'),
    entryHash(GENESIS, 1, '[]'),
  ];
  assert.equal(new Set([one, ...others]).size, 4);
});

test('of thousands of problems the first are kept and all are counted', () => {
  const problems = createProblems();
  const walk = createWalk({ seq: 0, hash: GENESIS }, problems);
  for (let seq = 1; seq <= 5000; seq++)
    walk.step({ seq, previous: 'x', hash: GENESIS, body: '{}' });
  assert.equal(problems.count, 5000);
  assert.equal(problems.first.length, 20);
});
