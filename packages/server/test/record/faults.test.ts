import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { Objects } from '../../src/storage/objects.ts';
import type { Tables } from '../../src/storage/tables.ts';
import { again, kindsOf, made, openRoom, type RoomUnderTest, refused } from './room.ts';

/** What becomes of transactions while the fault lasts. */
type Mishap = 'fails and is lost' | 'fails but was written' | 'busy once' | 'hangs' | 'none';

interface Fault {
  mishap: Mishap;
  hits: number;
  release: () => void;
}

/** Tables whose transactions go wrong as `fault` says; all else works. */
function faultyTables(tables: Tables, fault: Fault): Tables {
  const transaction = () => ({
    async execute(task: never) {
      const run = () => tables.db.transaction().execute(task);
      switch (fault.mishap) {
        case 'none':
          return run();
        case 'fails and is lost':
          fault.hits += 1;
          throw new TrustFault('storage.full', 'no room');
        case 'fails but was written':
          fault.hits += 1;
          await run();
          throw new TrustFault('storage.failed', 'the connection broke');
        case 'busy once':
          fault.hits += 1;
          fault.mishap = 'none';
          throw new TrustFault('storage.busy', 'another transaction was in the way');
        case 'hangs':
          fault.hits += 1;
          await new Promise<void>((resolve) => {
            fault.release = resolve;
          });
          return run();
        default:
          return fault.mishap satisfies never;
      }
    },
  });
  const db = new Proxy(tables.db, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (name === 'transaction') return transaction;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { db };
}

async function openFaulty(config = {}): Promise<{ room: RoomUnderTest; fault: Fault }> {
  const fault: Fault = { mishap: 'none', hits: 0, release() {} };
  const wrap = (tables: Tables) => faultyTables(tables, fault);
  return { room: await openRoom({ wrap, config: { writeMs: 200, ...config } }), fault };
}

test('a full store is record.unavailable for what must be durable, and recovers', async () => {
  const { room, fault } = await openFaulty();
  await using _ = room;
  fault.mishap = 'fails and is lost';
  for (const decision of [made(), refused()]) {
    await assert.rejects(room.record.keep(decision), { code: 'record.unavailable' });
  }
  assert.equal(room.counted.unavailable, 2);
  fault.mishap = 'none';
  await room.record.keep(made());
  assert.deepEqual(await kindsOf(room.tables), ['decision']);
});

test('a first pass that was not recorded is a first pass again', async () => {
  const { room, fault } = await openFaulty();
  await using _ = room;
  const first = made();
  fault.mishap = 'fails and is lost';
  await assert.rejects(room.record.keep(first), { code: 'record.unavailable' });
  await assert.rejects(room.record.keep(again(first)), { code: 'record.unavailable' });
  fault.mishap = 'none';
  await room.record.keep(again(first));
  assert.deepEqual(await kindsOf(room.tables), ['decision']);
});

test('a write that failed but happened is not refused and not written twice', async () => {
  const { room, fault } = await openFaulty();
  await using _ = room;
  fault.mishap = 'fails but was written';
  const first = made();
  await room.record.keep(first);
  await room.record.keep(again(first));
  await room.record.flush();
  fault.mishap = 'none';
  await room.record.flush();
  assert.equal(fault.hits, 2);
  assert.deepEqual(await kindsOf(room.tables), ['decision', 'repeats']);
  assert.equal((await room.record.get(first.decision.id)).uses.count, 2);
});

test('another transaction in the way is waited for', async () => {
  const { room, fault } = await openFaulty();
  await using _ = room;
  fault.mishap = 'busy once';
  await room.record.keep(made());
  assert.equal(fault.hits, 1);
  assert.deepEqual(await kindsOf(room.tables), ['decision']);
});

test('a store that hangs is record.unavailable, for what waits behind it too', async () => {
  const { room, fault } = await openFaulty();
  await using _ = room;
  fault.mishap = 'hangs';
  const stuck = room.record.keep(made());
  const behind = room.record.keep(refused());
  await Promise.all([
    assert.rejects(stuck, { code: 'record.unavailable' }),
    assert.rejects(behind, { code: 'record.unavailable' }),
  ]);
  fault.mishap = 'none';
  fault.release();
  await room.record.keep(made());
  assert.equal((await room.record.verify()).finding.because?.[1]?.outcome, 'pass');
});

test('more than may wait is refused at once', async () => {
  const { room, fault } = await openFaulty({
    waitingEntries: 2,
    writeMs: 60_000,
    gatherMs: 60_000,
  });
  await using _ = room;
  fault.mishap = 'none';
  const waiting = [room.record.keep(made()), room.record.keep(made())];
  await assert.rejects(room.record.keep(made()), { code: 'record.unavailable' });
  await room.record.close();
  await Promise.all(waiting);
});

test('counts that could not be written are kept, and refuse the next pass until they are', async () => {
  let elapsed = 0;
  const { room, fault } = await openFaulty({ repeatsMs: 60_000 });
  await using _ = room;
  const record = room.another({ now: () => performance.now() + elapsed });
  const first = made();
  await record.keep(first);
  await record.keep(again(first));
  fault.mishap = 'fails and is lost';
  await assert.rejects(record.flush(), { code: 'record.unavailable' });
  await record.keep(again(first));
  elapsed = 1001;
  await assert.rejects(record.keep(again(first)), { code: 'record.unavailable' });
  fault.mishap = 'none';
  await record.keep(again(first));
  await record.flush();
  // The pass that was refused was not given, so it is not counted.
  assert.equal((await record.get(first.decision.id)).uses.count, 4);
});

test('closing with a store that fails says so', async () => {
  const { room, fault } = await openFaulty({ repeatsMs: 60_000 });
  await using _ = room;
  const first = made();
  await room.record.keep(first);
  await room.record.keep(again(first));
  fault.mishap = 'fails and is lost';
  await assert.rejects(room.record.close(), { code: 'record.unavailable' });
});

test('evidence that cannot be stored is record.unavailable, and nothing refers to it', async () => {
  let broken = true;
  const wrapObjects = (objects: Objects): Objects => ({
    ...objects,
    async put(name, bytes) {
      if (broken) throw new TrustFault('storage.full', 'no room');
      return objects.put(name, bytes);
    },
  });
  await using room = await openRoom({ wrapObjects });
  const dossier = Buffer.from('evidence');
  const first = made({}, { dossier });
  await assert.rejects(room.record.keep(first), { code: 'record.unavailable' });
  assert.deepEqual(await kindsOf(room.tables), []);
  broken = false;
  await room.record.keep(first);
  assert.deepEqual(await room.record.evidenceOf(first.decision.id), dossier);
});

test('evidence that is gone or altered is not given out', async () => {
  await using room = await openRoom();
  const first = made({}, { dossier: Buffer.from('evidence') });
  await room.record.keep(first);
  const plain = made();
  await room.record.keep(plain);
  assert.equal(await room.record.evidenceOf(plain.decision.id), null);
  const [name = ''] = await room.objects.list('evidence/');
  const other = room.another({
    objects: { ...room.objects, bytes: async () => Buffer.from('other') },
  });
  await assert.rejects(other.evidenceOf(first.decision.id), { code: 'record.evidence-missing' });
  await room.objects.delete(name, new Date(0));
  await room.objects.sweep({
    at: new Date(),
    graceMs: 0,
    stagedMs: 1e9,
    wanted: async () => false,
  });
  const gone = room.record.evidenceOf(first.decision.id);
  await assert.rejects(gone, { code: 'record.evidence-missing' });
});

test('one content is stored once, and is there again when a sweep came in between', async () => {
  await using room = await openRoom();
  const dossier = Buffer.from('evidence');
  await Promise.all([1, 2, 3].map(() => room.record.keep(made({}, { dossier }))));
  assert.equal((await room.objects.list('evidence/')).length, 1);
  let kept = 0;
  const sweeping: Objects = {
    ...room.objects,
    async keep(name) {
      kept += 1;
      // The object goes between the first look and the entry that refers to it.
      if (kept === 2) await removeAll(room.objects);
      return room.objects.keep(name);
    },
  };
  const again = made({}, { dossier });
  await room.another({ objects: sweeping }).keep(again);
  assert.deepEqual(await room.record.evidenceOf(again.decision.id), dossier);
});

async function removeAll(objects: Objects): Promise<void> {
  for (const name of await objects.list('evidence/')) await objects.delete(name, new Date(0));
  await objects.sweep({ at: new Date(), graceMs: 0, stagedMs: 1e9, wanted: async () => false });
}
