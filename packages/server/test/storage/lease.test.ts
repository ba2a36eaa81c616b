import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LeaseOptions, leasesOf } from '../../src/storage/lease.ts';
import type { Registers } from '../../src/storage/registers.ts';
import { type CellStore, type RoomUnderTest, testIn } from './contract.ts';
import { faultOf, text } from './expectations.ts';
import { ROOMS, rowRooms } from './rooms.ts';

/** A clock that goes on only when it is told. */
function clockAt(start: string): { now: Date; readonly options: LeaseOptions } {
  const held = { now: new Date(start) };
  return Object.assign(held, { options: { clock: () => held.now, ttlMs: 60_000 } });
}

/** A process that took the lease and died: nobody renews it. */
async function leftBehind(registers: Registers): Promise<void> {
  const dead = `bulla-lease 1 ${'d'.repeat(24)} 60000\n`;
  assert.notEqual(await registers.swap('leases/work', null, text(dead)), null);
}

const PLACES: readonly RoomUnderTest<CellStore>[] = [...ROOMS, ...rowRooms()];

for (const room of PLACES) {
  testIn(room, 'one at a time has a lease, and gives it back', async (place) => {
    await using store = await place.open();
    const { options } = clockAt('2026-01-01T00:00:00Z');
    const mine = leasesOf(store.registers, options);
    const yours = leasesOf(store.registers, options);
    {
      await using lease = await mine.tryAcquire('work');
      assert.ok(lease !== null);
      assert.equal(await mine.tryAcquire('work'), null);
      assert.equal(await yours.tryAcquire('work'), null);
      await using other = await yours.tryAcquire('other work');
      assert.ok(other !== null);
      await assert.rejects(yours.acquire('work', { waitMs: 0 }), faultOf('storage.lease-held'));
    }
    await using again = await yours.tryAcquire('work');
    assert.ok(again !== null);
    assert.equal(again.signal.aborted, false);
  });
  testIn(room, 'of many who ask at once one gets the lease', async (place) => {
    await using store = await place.open();
    const { options } = clockAt('2026-01-01T00:00:00Z');
    const asked = Array.from({ length: 8 }, () =>
      leasesOf(store.registers, options).tryAcquire('work'),
    );
    const leases = (await Promise.all(asked)).filter((lease) => lease !== null);
    assert.equal(leases.length, 1);
    await leases[0]?.[Symbol.asyncDispose]();
  });
  testIn(room, 'a lease that a killed holder left is over after its time', async (place) => {
    await using store = await place.open();
    await leftBehind(store.registers);
    const time = clockAt('2026-01-01T00:00:00Z');
    const leases = leasesOf(store.registers, time.options);
    assert.equal(await leases.tryAcquire('work'), null);
    time.now = new Date('2026-01-01T00:00:59Z');
    assert.equal(await leases.tryAcquire('work'), null);
    time.now = new Date('2026-01-01T00:01:00Z');
    await using lease = await leases.tryAcquire('work');
    assert.ok(lease !== null);
  });
  testIn(room, 'a holder that renews keeps its lease past its time', async (place) => {
    await using store = await place.open();
    const clock = () => new Date();
    await using lease = await leasesOf(store.registers, { clock, ttlMs: 3000 }).tryAcquire('work');
    assert.ok(lease !== null);
    const first = await store.registers.read('leases/work');
    const time = clockAt('2026-01-01T00:00:00Z');
    const waiting = leasesOf(store.registers, time.options);
    assert.equal(await waiting.tryAcquire('work'), null);
    // However late the waiter's clock is: it saw a renewal.
    while ((await store.registers.read('leases/work'))?.version === first?.version) await sleep(20);
    time.now = new Date('2027-01-01T00:00:00Z');
    assert.equal(await waiting.tryAcquire('work'), null);
    assert.equal(lease.signal.aborted, false);
  });
  testIn(
    room,
    'a holder learns that its lease was lost, and does not take it back',
    async (place) => {
      await using store = await place.open();
      const { registers } = store;
      const clock = () => new Date();
      await using lease = await leasesOf(registers, { clock, ttlMs: 300 }).tryAcquire('work');
      assert.ok(lease !== null);
      const lost = once(lease.signal, 'abort');
      // As somebody does who took over while the holder slept; between two renewals, so again.
      for (;;) {
        const cell = await registers.read('leases/work');
        const taken = `bulla-lease 1 ${'e'.repeat(24)} 60000\n`;
        if ((await registers.swap('leases/work', cell?.version ?? null, text(taken))) !== null)
          break;
      }
      await lost;
      await lease[Symbol.asyncDispose]();
      const cell = await registers.read('leases/work');
      assert.match(Buffer.from(cell?.value ?? []).toString(), /e{24}/);
    },
  );
  testIn(room, 'a waiter gets the lease when the holder gives it back', async (place) => {
    await using store = await place.open();
    const options = { clock: () => new Date(), ttlMs: 2000 };
    const lease = await leasesOf(store.registers, options).tryAcquire('work');
    const waiting = leasesOf(store.registers, options).acquire('work', { waitMs: 60_000 });
    await lease?.[Symbol.asyncDispose]();
    await using next = await waiting;
    assert.equal(next.name, 'work');
  });
  testIn(room, 'a cell that is no lease is corrupt', async (place) => {
    await using store = await place.open();
    await store.registers.swap('leases/work', null, text('mine'));
    const leases = leasesOf(store.registers, clockAt('2026-01-01T00:00:00Z').options);
    await assert.rejects(leases.tryAcquire('work'), faultOf('storage.corrupt'));
  });
}
