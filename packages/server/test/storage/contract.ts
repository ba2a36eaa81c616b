import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { computeDigest } from '@bulla/trust/oci/digest';
import type { Registers } from '../../src/storage/registers.ts';
import type { Store } from '../../src/storage/store.ts';
import { chunks, faultOf, sweepOf, text } from './expectations.ts';
import { OBJECTS } from './objects-contract.ts';
import { REGISTERS } from './registers-contract.ts';

/** Where a store of a room may be opened, again after the one before was disposed. */
export interface Place<S> extends AsyncDisposable {
  open(): Promise<S>;
}

/** A room under the contract: how a store is opened, and whether its data outlive it. */
export interface RoomUnderTest<S> {
  readonly name: string;
  readonly durable: boolean;
  /** A new, empty place; null when the test was skipped, because a peer is missing. */
  place(t: TestContext): Promise<Place<S> | null>;
}

/** What has registers and an end. */
export interface CellStore extends AsyncDisposable {
  readonly registers: Registers;
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

/** One test on a new place of the room; not run when the room's peer is missing. */
export function testIn<S>(
  room: RoomUnderTest<S>,
  name: string,
  run: (place: Place<S>) => Promise<void>,
): void {
  test(`${room.name}: ${name}`, async (t) => {
    const found = await room.place(t);
    if (found === null) return;
    await using place = found;
    await run(place);
  });
}

/** Runs the contract of `Registers` over one room. */
export function runRegistersContract(room: RoomUnderTest<CellStore>): void {
  for (const { name, run } of REGISTERS) {
    testIn(room, name, async (place) => {
      await using store = await place.open();
      await run(store);
    });
  }
  for (const { name, value, ok } of NAMES) {
    testIn(room, `${name} ${ok ? 'is a key of its own' : 'is no key'}`, async (place) => {
      await using store = await place.open();
      const { registers } = store;
      if (!ok) {
        const invalid = faultOf('storage.name-invalid');
        await assert.rejects(registers.swap(value, null, text('x')), invalid);
        await assert.rejects(registers.read(value), invalid);
        await assert.rejects(registers.delete(value, 'v'), invalid);
        return;
      }
      await registers.swap(value, null, text('cell'));
      await registers.swap('tag', null, text('other'));
      assert.deepEqual(await registers.list(''), [value, 'tag'].toSorted());
      const cell = await registers.read(value);
      assert.equal(Buffer.from(cell?.value ?? []).toString(), 'cell');
    });
  }
  testIn(room, 'closed registers refuse every call', async (place) => {
    const store = await place.open();
    await store[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    const closed = faultOf('storage.closed');
    await assert.rejects(store.registers.read('k'), closed);
    await assert.rejects(store.registers.swap('k', null, text('x')), closed);
    await assert.rejects(store.registers.list(''), closed);
    await assert.rejects(store.registers.delete('k', 'v'), closed);
  });
  testIn(room, 'disposing waits for the swaps under way', async (place) => {
    const store = await place.open();
    const swaps = Array.from({ length: 10 }, (_, n) =>
      store.registers.swap(`k${n}`, null, text('x')),
    );
    await store[Symbol.asyncDispose]();
    assert.ok((await Promise.all(swaps)).every((version) => version !== null));
  });
  if (!room.durable) return;
  testIn(room, 'cells outlive a restart, and so do their versions', async (place) => {
    let version: string | null;
    {
      await using store = await place.open();
      version = await store.registers.swap('k', null, text('v'));
    }
    await using store = await place.open();
    assert.equal((await store.registers.read('k'))?.version, version);
  });
}

/** Runs the contract of `Objects` over one room. */
export function runObjectsContract(room: RoomUnderTest<Store>): void {
  for (const { name, run } of OBJECTS) {
    testIn(room, name, async (place) => {
      await using store = await place.open();
      await run(store);
    });
  }
  for (const { name, value, ok } of NAMES) {
    testIn(room, `${name} ${ok ? 'names its own object' : 'names no object'}`, async (place) => {
      await using store = await place.open();
      if (!ok) {
        const invalid = faultOf('storage.name-invalid');
        await assert.rejects(store.objects.put(value, text('x')), invalid);
        await assert.rejects(store.objects.begin(value), invalid);
        return;
      }
      await store.objects.put(value, text('object'));
      assert.deepEqual(await store.objects.list(''), [value]);
    });
  }
  testIn(room, 'closed objects refuse every call', async (place) => {
    const store = await place.open();
    await store[Symbol.asyncDispose]();
    const closed = faultOf('storage.closed');
    await assert.rejects(store.objects.begin('w'), closed);
    await assert.rejects(store.objects.stat('n'), closed);
  });
  if (!room.durable) return;
  testIn(room, 'everything acknowledged is there after a restart', async (place) => {
    const digest = computeDigest(text('abcdef'));
    {
      await using store = await place.open();
      await store.objects.put('kept', text('kept'));
      await store.objects.put('gone', text('gone'));
      await store.objects.delete('gone', new Date('2026-01-01T00:00:00Z'));
      await store.objects.begin('w');
      await store.objects.append('w', 0, chunks('abc'));
    }
    await using store = await place.open();
    assert.deepEqual(await store.objects.staged('w'), { sizeBytes: 3 });
    assert.equal(await store.objects.append('w', 3, chunks('def')), 6);
    assert.equal(await store.objects.commit('w', 'n', digest), 6);
    const swept = await store.objects.sweep(sweepOf('2026-01-02T00:00:00Z'));
    assert.deepEqual(swept, { objects: 1, staged: 0 });
    assert.deepEqual(await store.objects.list(''), ['kept', 'n']);
  });
}
