import assert from 'node:assert/strict';
import type { RowStore } from '../../src/storage/store.ts';
import { type Case, faultOf, text } from './expectations.ts';

/** The promises of `Registers`. */
export const REGISTERS: readonly Case<Pick<RowStore, 'registers'>>[] = [
  {
    name: 'a swap needs the version that is there',
    async run({ registers }) {
      assert.equal(await registers.read('k'), null);
      const first = await registers.swap('k', null, text('1'));
      assert.ok(first !== null);
      assert.equal(await registers.swap('k', null, text('2')), null);
      assert.equal(await registers.swap('k', 'other', text('2')), null);
      const second = await registers.swap('k', first, text('2'));
      assert.ok(second !== null && second !== first);
      assert.equal(await registers.swap('k', first, text('3')), null);
      const cell = await registers.read('k');
      assert.equal(Buffer.from(cell?.value ?? []).toString(), '2');
      assert.equal(cell?.version, second);
    },
  },
  {
    name: 'versions never return, not even after a deletion',
    async run({ registers }) {
      const versions = new Set<string>();
      for (let round = 0; round < 5; round++) {
        const version = await registers.swap('k', null, text('same'));
        assert.ok(version !== null && !versions.has(version));
        versions.add(version);
        assert.equal(await registers.delete('k', 'other'), false);
        assert.equal(await registers.delete('k', version), true);
        assert.equal(await registers.delete('k', version), false);
        assert.equal(await registers.swap('k', version, text('x')), null);
      }
    },
  },
  {
    name: 'of many swaps of one version one wins',
    async run({ registers }) {
      const version = await registers.swap('k', null, text('start'));
      const swaps = Array.from({ length: 20 }, (_, index) =>
        registers.swap('k', version, text(String(index))),
      );
      const won = (await Promise.all(swaps)).filter((result) => result !== null);
      assert.equal(won.length, 1);
      assert.equal((await registers.read('k'))?.version, won[0]);
    },
  },
  {
    name: 'counting by compare-and-swap loses nothing',
    async run({ registers }) {
      const count = async () => {
        for (;;) {
          const cell = await registers.read('n');
          const next = Number(Buffer.from(cell?.value ?? []).toString() || '0') + 1;
          const version = cell?.version ?? null;
          if ((await registers.swap('n', version, text(String(next)))) !== null) return;
        }
      };
      await Promise.all(Array.from({ length: 12 }, count));
      assert.equal(Buffer.from((await registers.read('n'))?.value ?? []).toString(), '12');
    },
  },
  {
    name: 'nobody can write into a cell through what he gave or got',
    async run({ registers }) {
      const value = text('abc');
      await registers.swap('k', null, value);
      value[0] = 0;
      const got = await registers.read('k');
      assert.ok(got !== null);
      got.value[1] = 0;
      assert.equal(Buffer.from((await registers.read('k'))?.value ?? []).toString(), 'abc');
    },
  },
  {
    name: 'keys are listed in order, and a key may be the folder of another',
    async run({ registers }) {
      for (const key of ['t/b', 't/a', 't/B', 't', 't/a/x', 'tt/a']) {
        await registers.swap(key, null, text(key));
      }
      assert.deepEqual(await registers.list('t/'), ['t/B', 't/a', 't/a/x', 't/b']);
      assert.deepEqual(await registers.list('', { limit: 3 }), ['t', 't/B', 't/a']);
      assert.deepEqual(await registers.list('t/', { after: 't/a', limit: 1 }), ['t/a/x']);
      await assert.rejects(registers.list('t'), faultOf('storage.name-invalid'));
    },
  },
  {
    name: 'keys outside the basic plane stand where UTF-16 has them',
    async run({ registers }) {
      const keys = [
        's/\u{1f512}',
        's/\uff5e',
        's/a',
        's/\u{10ffff}/x',
        's/\ue000',
        's/ü\u{1f512}z',
      ];
      for (const key of keys) await registers.swap(key, null, text(key));
      assert.deepEqual(await registers.list('s/'), keys.toSorted());
      const after = 's/\u{1f512}';
      const later = keys.toSorted().filter((key) => key > after);
      assert.deepEqual(await registers.list('s/', { after }), later);
      assert.deepEqual(await registers.list('s/', { after: 'a' }), keys.toSorted());
      assert.deepEqual(await registers.list('s/', { after: 't' }), []);
    },
  },
  {
    name: 'the largest value is kept',
    async run({ registers }) {
      const value = new Uint8Array(5 << 20).fill(7);
      await registers.swap('k', null, value);
      const cell = await registers.read('k');
      assert.ok(cell !== null && Buffer.compare(cell.value, value) === 0);
    },
  },
  {
    name: 'a value that is too large is refused',
    async run({ registers }) {
      const call = registers.swap('k', null, new Uint8Array((5 << 20) + 1));
      await assert.rejects(call, faultOf('storage.too-large'));
      assert.equal(await registers.read('k'), null);
    },
  },
];
