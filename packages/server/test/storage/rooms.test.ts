import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openMemory } from '../../src/storage/memory/open.ts';
import { runObjectsContract, runRegistersContract } from './contract.ts';
import { chunks, faultOf, text } from './expectations.ts';
import { ROOMS, rowRooms } from './rooms.ts';

for (const room of ROOMS) runObjectsContract(room);
for (const room of [...ROOMS, ...rowRooms()]) runRegistersContract(room);

test('memory: a room that is full refuses, and has room again after a removal', async () => {
  const store = openMemory({ maxBytes: 10 });
  const { objects, registers } = store;
  await objects.put('n', text('12345678'));
  await assert.rejects(objects.put('m', text('123')), faultOf('storage.full'));
  await assert.rejects(registers.swap('k', null, text('123')), faultOf('storage.full'));
  await objects.begin('w');
  await assert.rejects(objects.append('w', 0, chunks('12', '3')), faultOf('storage.full'));
  assert.equal(await objects.abort('w'), true);
  await objects.delete('n', new Date(0));
  const sweep = { at: new Date(), graceMs: 0, stagedMs: 0, wanted: async () => false };
  assert.equal((await objects.sweep(sweep)).objects, 1);
  await objects.put('m', text('1234567890'));
});
