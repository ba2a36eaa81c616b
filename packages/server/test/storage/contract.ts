import assert from 'node:assert/strict';
import { test } from 'node:test';
import { computeDigest } from '@bulla/trust/oci/digest';
import type { Store } from '../../src/storage/store.ts';
import { chunks, faultOf, sweepOf, text } from './expectations.ts';
import { OBJECTS } from './objects-contract.ts';
import { REGISTERS } from './registers-contract.ts';

/** A room under the contract: how a store is opened, and whether its data outlive it. */
export interface RoomUnderTest {
  readonly name: string;
  /** A new, empty place; `open` may be called again after the store before was disposed. */
  place(): Promise<{ open(): Promise<Store> } & AsyncDisposable>;
  readonly durable: boolean;
}

const NAMES: readonly { readonly name: string; readonly value: string; readonly ok: boolean }[] = [
  { name: 'dots', value: '..', ok: true },
  { name: 'dots within', value: 'a/../../b', ok: true },
  { name: 'a hidden name', value: '.git/config', ok: true },
  { name: 'a backslash, a colon and a NUL', value: 'a\\b:c\0d', ok: true },
  { name: 'the file mark', value: 'a=/b=', ok: true },
  { name: 'the piece mark', value: 'a+/b+', ok: true },
  { name: 'a percent sign', value: 'a%2Fb/%', ok: true },
  { name: 'other scripts', value: 'größe/名前', ok: true },
  { name: 'a long segment', value: `${'x'.repeat(500)}/${'%'.repeat(300)}`, ok: true },
  { name: 'upper and lower case', value: 'Tag', ok: true },
  { name: 'nothing', value: '', ok: false },
  { name: 'a leading slash', value: '/etc/passwd', ok: false },
  { name: 'a trailing slash', value: 'a/', ok: false },
  { name: 'an empty segment', value: 'a//b', ok: false },
  { name: 'half a surrogate pair', value: 'a\ud800', ok: false },
  { name: 'too long a name', value: 'a'.repeat(1025), ok: false },
];

/** Runs the whole contract over one room. */
export function runContract(room: RoomUnderTest): void {
  for (const { name, run } of [...OBJECTS, ...REGISTERS]) {
    test(`${room.name}: ${name}`, async () => {
      await using place = await room.place();
      await using store = await place.open();
      await run(store);
    });
  }
  for (const { name, value, ok } of NAMES) {
    test(`${room.name}: ${name} ${ok ? 'names its own' : 'is no name'}`, async () => {
      await using place = await room.place();
      await using store = await place.open();
      if (!ok) {
        const invalid = faultOf('storage.name-invalid');
        await assert.rejects(store.registers.swap(value, null, text('x')), invalid);
        await assert.rejects(store.registers.read(value), invalid);
        await assert.rejects(store.objects.put(value, text('x')), invalid);
        await assert.rejects(store.objects.begin(value), invalid);
        return;
      }
      await store.registers.swap(value, null, text('cell'));
      await store.registers.swap('tag', null, text('other'));
      await store.objects.put(value, text('object'));
      assert.deepEqual((await store.registers.list('')).toSorted(), [value, 'tag'].toSorted());
      assert.deepEqual(await store.objects.list(''), [value]);
      const cell = await store.registers.read(value);
      assert.equal(Buffer.from(cell?.value ?? []).toString(), 'cell');
    });
  }
  test(`${room.name}: a closed store refuses every call`, async () => {
    await using place = await room.place();
    const store = await place.open();
    await store[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    const closed = faultOf('storage.closed');
    await assert.rejects(store.registers.read('k'), closed);
    await assert.rejects(store.registers.swap('k', null, text('x')), closed);
    await assert.rejects(store.objects.begin('w'), closed);
    await assert.rejects(store.objects.stat('n'), closed);
  });
  test(`${room.name}: everything acknowledged is there after a restart`, {
    skip: !room.durable && 'this room keeps nothing',
  }, async () => {
    await using place = await room.place();
    const digest = computeDigest(text('abcdef'));
    let version: string | null;
    {
      await using store = await place.open();
      version = await store.registers.swap('k', null, text('v'));
      await store.objects.put('kept', text('kept'));
      await store.objects.put('gone', text('gone'));
      await store.objects.delete('gone', new Date('2026-01-01T00:00:00Z'));
      await store.objects.begin('w');
      await store.objects.append('w', 0, chunks('abc'));
    }
    await using store = await place.open();
    assert.equal((await store.registers.read('k'))?.version, version);
    assert.deepEqual(await store.objects.staged('w'), { sizeBytes: 3 });
    assert.equal(await store.objects.append('w', 3, chunks('def')), 6);
    assert.equal(await store.objects.commit('w', 'n', digest), 6);
    const swept = await store.objects.sweep(sweepOf('2026-01-02T00:00:00Z'));
    assert.deepEqual(swept, { objects: 1, staged: 0 });
    assert.deepEqual(await store.objects.list(''), ['kept', 'n']);
  });
}
