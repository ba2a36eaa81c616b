import assert from 'node:assert/strict';
import { computeDigest, type Digest } from '@bulla/trust/oci/digest';
import type { Store } from '../../src/storage/store.ts';
import { type Case, chunks, collect, faultOf, sweepOf, text } from './expectations.ts';

async function stage(store: Store, id: string, ...parts: readonly string[]): Promise<Digest> {
  await store.objects.begin(id);
  await store.objects.append(id, 0, chunks(...parts));
  return computeDigest(text(parts.join('')));
}

/** The promises of `Objects`. */
export const OBJECTS: readonly Case<Store>[] = [
  {
    name: 'a committed object is read whole, in part and as a stream',
    async run({ objects }) {
      await objects.begin('w');
      assert.equal(await objects.append('w', 0, chunks('he', 'llo ')), 6);
      assert.deepEqual(await objects.staged('w'), { sizeBytes: 6 });
      assert.equal(await objects.append('w', 6, chunks('world')), 11);
      assert.equal(await objects.stat('a/b'), null);
      assert.equal(await objects.commit('w', 'a/b', computeDigest(text('hello world'))), 11);
      assert.deepEqual(await objects.stat('a/b'), { sizeBytes: 11 });
      assert.equal(await collect(await objects.stream('a/b')), 'hello world');
      assert.equal(await collect(await objects.stream('a/b', { from: 1, length: 6 })), 'ello w');
      assert.equal(await collect(await objects.stream('a/b', { from: 3, length: 0 })), '');
      assert.equal(Buffer.from((await objects.bytes('a/b')) ?? []).toString(), 'hello world');
      const part = await objects.bytes('a/b', { from: 6, length: 5 });
      assert.equal(Buffer.from(part ?? []).toString(), 'world');
      assert.equal(await objects.staged('w'), null);
    },
  },
  {
    name: 'the empty object is an object',
    async run(store) {
      const digest = await stage(store, 'w');
      assert.equal(await store.objects.commit('w', 'empty', digest), 0);
      assert.equal(await collect(await store.objects.stream('empty')), '');
      assert.deepEqual(await store.objects.bytes('empty'), Buffer.alloc(0));
    },
  },
  {
    name: 'what is not there is null or false',
    async run({ objects }) {
      assert.equal(await objects.stat('x'), null);
      assert.equal(await objects.bytes('x'), null);
      assert.equal(await objects.stream('x'), null);
      assert.equal(await objects.keep('x'), false);
      assert.equal(await objects.delete('x', new Date(0)), false);
      assert.equal(await objects.staged('x'), null);
      assert.equal(await objects.abort('x'), false);
    },
  },
  {
    name: 'a wrong digest commits nothing and leaves the write open',
    async run(store) {
      const { objects } = store;
      const digest = await stage(store, 'w', 'abc');
      const other = computeDigest(text('abd'));
      await assert.rejects(objects.commit('w', 'n', other), faultOf('storage.digest-mismatch'));
      assert.equal(await objects.stat('n'), null);
      assert.equal(await objects.commit('w', 'n', digest), 3);
    },
  },
  {
    name: 'a digest of the other algorithm is computed from what is stored',
    async run({ objects }) {
      await objects.begin('w', 'sha256');
      await objects.append('w', 0, chunks('abc'));
      const sha512 = computeDigest(text('abc'), `sha512:${'0'.repeat(128)}`);
      assert.equal(await objects.commit('w', 'n', sha512), 3);
    },
  },
  {
    name: 'bytes for another place than the end are refused and change nothing',
    async run(store) {
      const { objects } = store;
      const digest = await stage(store, 'w', 'abc');
      for (const offset of [0, 2, 4]) {
        const call = objects.append('w', offset, chunks('x'));
        await assert.rejects(call, faultOf('storage.offset-conflict'));
      }
      assert.equal(await objects.commit('w', 'n', digest), 3);
    },
  },
  {
    name: 'a sender that breaks off leaves what came, and the write goes on from there',
    async run({ objects }) {
      await objects.begin('w');
      const broken = (async function* () {
        yield text('abc');
        throw new Error('cut');
      })();
      await assert.rejects(objects.append('w', 0, broken), /cut/);
      const size = (await objects.staged('w'))?.sizeBytes ?? -1;
      assert.equal(size, 3);
      assert.equal(await objects.append('w', size, chunks('def')), 6);
      assert.equal(await objects.commit('w', 'n', computeDigest(text('abcdef'))), 6);
    },
  },
  {
    name: 'more than maxBytes is refused',
    async run({ objects }) {
      await objects.begin('w');
      const call = objects.append('w', 0, chunks('abc', 'def'), { maxBytes: 5 });
      await assert.rejects(call, faultOf('storage.too-large'));
      assert.ok(((await objects.staged('w'))?.sizeBytes ?? 0) <= 5);
    },
  },
  {
    name: 'one writer at a time has a staged write',
    async run({ objects }) {
      await objects.begin('w');
      const gate = Promise.withResolvers<void>();
      const slow = (async function* () {
        yield text('a');
        await gate.promise;
        yield text('b');
      })();
      const first = objects.append('w', 0, slow);
      await new Promise((resolve) => setTimeout(resolve, 20));
      const busy = faultOf('storage.staging-busy');
      await assert.rejects(objects.append('w', 1, chunks('x')), busy);
      await assert.rejects(objects.commit('w', 'n', computeDigest(text('a'))), busy);
      await assert.rejects(objects.abort('w'), busy);
      gate.resolve();
      assert.equal(await first, 2);
      assert.equal(await objects.commit('w', 'n', computeDigest(text('ab'))), 2);
    },
  },
  {
    name: 'an id is begun once, and is free again after its end',
    async run({ objects }) {
      await objects.begin('w');
      await assert.rejects(objects.begin('w'), faultOf('storage.staging-taken'));
      assert.equal(await objects.abort('w'), true);
      const unknown = faultOf('storage.staging-unknown');
      await assert.rejects(objects.append('w', 0, chunks('a')), unknown);
      await assert.rejects(objects.commit('w', 'n', computeDigest(text(''))), unknown);
      await objects.begin('w');
    },
  },
  {
    name: 'a name that is taken keeps its bytes; two commits at once both succeed',
    async run(store) {
      const { objects } = store;
      const digest = await stage(store, 'a', 'same');
      await stage(store, 'b', 'same');
      await stage(store, 'c', 'same');
      const both = ['a', 'b'].map((id) => objects.commit(id, 'n', digest));
      assert.deepEqual(await Promise.all(both), [4, 4]);
      assert.equal(await objects.commit('c', 'n', digest), 4);
      await objects.put('n', text('same'));
      assert.equal(await collect(await objects.stream('n')), 'same');
      for (const id of ['a', 'b', 'c']) assert.equal(await objects.staged(id), null);
    },
  },
  {
    name: 'names are listed in order, below a prefix, page by page',
    async run({ objects }) {
      for (const name of ['b', 'a/c', 'a/B', 'a', 'a/c/d', 'ab/c', 'a/é']) {
        await objects.put(name, text(name));
      }
      assert.deepEqual(await objects.list(''), ['a', 'a/B', 'a/c', 'a/c/d', 'a/é', 'ab/c', 'b']);
      assert.deepEqual(await objects.list('a/'), ['a/B', 'a/c', 'a/c/d', 'a/é']);
      assert.deepEqual(await objects.list('a/', { limit: 2 }), ['a/B', 'a/c']);
      assert.deepEqual(await objects.list('a/', { after: 'a/c', limit: 1 }), ['a/c/d']);
      assert.deepEqual(await objects.list('z/'), []);
      await assert.rejects(objects.list('a'), faultOf('storage.name-invalid'));
    },
  },
  {
    name: 'a deleted object is readable until the sweep after its grace',
    async run({ objects }) {
      await objects.put('n', text('x'));
      assert.equal(await objects.delete('n', new Date('2026-01-01T00:00:00Z')), true);
      const early = await objects.sweep(sweepOf('2026-01-01T00:00:00.500Z'));
      assert.deepEqual(early, { objects: 0, staged: 0 });
      const reader = await objects.stream('n');
      const late = await objects.sweep(sweepOf('2026-01-01T00:00:02Z'));
      assert.deepEqual(late, { objects: 1, staged: 0 });
      assert.equal(await objects.stat('n'), null);
      assert.equal(await collect(reader), 'x', 'a reader that has begun reads to the end');
    },
  },
  {
    name: 'keep, put and commit cancel a deletion, and so does a wanted object',
    async run(store) {
      const { objects } = store;
      const ways: readonly ((name: string) => Promise<unknown>)[] = [
        (name) => objects.keep(name),
        (name) => objects.put(name, text('x')),
        async (name) => objects.commit('w', name, await stage(store, 'w', 'x')),
      ];
      for (const [index, way] of ways.entries()) {
        await objects.put(`n${index}`, text('x'));
        await objects.delete(`n${index}`, new Date('2026-01-01T00:00:00Z'));
        await way(`n${index}`);
      }
      await objects.put('wanted', text('x'));
      await objects.delete('wanted', new Date('2026-01-01T00:00:00Z'));
      await objects.sweep(sweepOf('2026-01-02T00:00:00Z', (name) => name === 'wanted'));
      await objects.sweep(sweepOf('2026-01-03T00:00:00Z'));
      assert.deepEqual(await objects.list(''), ['n0', 'n1', 'n2', 'wanted']);
    },
  },
  {
    name: 'a keep that comes while the sweep asks says the truth',
    async run({ objects }) {
      await objects.put('n', text('x'));
      await objects.delete('n', new Date('2026-01-01T00:00:00Z'));
      const asked = Promise.withResolvers<void>();
      const answer = Promise.withResolvers<boolean>();
      const sweeping = objects.sweep({
        ...sweepOf('2026-01-02T00:00:00Z'),
        wanted: () => {
          asked.resolve();
          return answer.promise;
        },
      });
      await asked.promise;
      const keeping = objects.keep('n');
      answer.resolve(false);
      const [kept] = await Promise.all([keeping, sweeping]);
      assert.equal((await objects.stat('n')) !== null, kept);
    },
  },
  {
    name: 'a sweep drops staged writes that nobody goes on with',
    async run(store) {
      await stage(store, 'old', 'x');
      const swept = await store.objects.sweep(
        sweepOf(new Date(Date.now() + 7200_000).toISOString()),
      );
      assert.deepEqual(swept, { objects: 0, staged: 1 });
      assert.equal(await store.objects.staged('old'), null);
    },
  },
];
