import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { call } from './call.ts';
import { type House, ownerToken, pushAndPull, startUp } from './house.ts';
import { emptyFolder } from './run.ts';

const TITLES = /^AT +ANSWER +IMAGE +CODE +ID$/m;

describe('decisions and the record at a server and offline', () => {
  const folders = new AsyncDisposableStack();
  let house: House;
  let data: string;
  let folder: string;
  let env: Readonly<Record<string, string>>;
  /** The newest decision. */
  let id: string;

  before(async () => {
    folder = folders.use(await emptyFolder()).path;
    data = join(folder, 'data');
    house = await startUp(data);
    for (const tag of ['v1', 'v2', 'v3']) await pushAndPull(house, 'team/app', tag);
    await pushAndPull(house, `team/${'long-'.repeat(20)}name`, 'v1');
    env = {
      BULLA_SERVER: house.ready.addresses[0] ?? '',
      BULLA_TOKEN: await ownerToken(house),
    };
    const { out } = await call(['decisions', 'list', '-o', 'json'], env);
    id = JSON.parse(out).decisions[0].id;
  });
  after(async () => {
    await house.stop();
    await folders.disposeAsync();
  });

  /** The places, of which each command is asked; offline comes when the server has ended. */
  const places = [
    { where: 'at a server', args: () => [] as string[], env: () => env },
    { where: 'offline', args: () => ['--data', data], env: () => ({}) },
  ] as const;

  for (const place of places) {
    const ask = (...args: string[]) => call([...args, ...place.args()], place.env());

    test(`${place.where}: lists fit 100 columns, and filters are the API's`, async (t) => {
      if (place.where === 'offline') await house.stop();
      const all = await ask('decisions', 'list');
      assert.equal(all.code, 0, all.err);
      assert.match(all.out, TITLES);
      assert.equal(all.out.trimEnd().split('\n').length, 5, all.out);
      for (const line of all.out.split('\n')) assert.ok(line.length <= 100, line);
      const digest = JSON.parse((await ask('decisions', 'show', id, '-o', 'json')).out).digest;
      const cases: readonly { args: readonly string[]; rows?: number; code?: string }[] = [
        { args: ['--repository', 'team/app'], rows: 0 },
        { args: ['--repository', `${house.ready.registry}/team/app`], rows: 3 },
        { args: ['--repository', `${house.ready.registry}/**/app`], rows: 3 },
        { args: ['--tag', 'v2'], rows: 1 },
        { args: ['--digest', digest], rows: 2 },
        { args: ['--effect', 'audit'], rows: 4 },
        { args: ['--effect', 'deny'], rows: 0 },
        { args: ['--outcome', 'admit', '--surface', 'pull'], rows: 4 },
        { args: ['--policy', 'starter', '--code', 'signature.none'], rows: 4 },
        { args: ['--from', '1h'], rows: 4 },
        { args: ['--to', '1h'], rows: 0 },
        { args: ['--from', '2020-01-01', '--to', '2020-01-02'], rows: 0 },
        { args: ['--limit', '2'], rows: 2 },
        { args: ['--before', '2'], rows: 1 },
        { args: ['--digest', 'none'], code: 'record.filter-invalid' },
        { args: ['--from', 'yesterday'], code: 'usage.invalid' },
        { args: ['--limit', '0'], code: 'usage.invalid' },
      ];
      for (const { args, rows, code } of cases) {
        await t.test(args.join(' '), async () => {
          const run = await ask('decisions', 'list', ...args, '-o', 'json');
          if (code !== undefined) {
            assert.equal(run.code, 2, run.out);
            assert.ok(run.err.includes(`[${code}]`), run.err);
            return;
          }
          assert.equal(run.code, 0, run.err);
          assert.equal(JSON.parse(run.out).decisions.length, rows);
        });
      }
    });

    test(`${place.where}: pages lead to one another`, async () => {
      const seen: string[] = [];
      let before: readonly string[] = [];
      for (let page = 0; page < 4; page++) {
        const { out } = await ask('decisions', 'list', '--limit', '1', '-o', 'json', ...before);
        const { decisions, next } = JSON.parse(out);
        seen.push(decisions[0].id);
        if (page === 3) assert.equal(next, null);
        else before = ['--before', String(next)];
      }
      assert.equal(new Set(seen).size, 4);
    });

    test(`${place.where}: a decision is shown and explained, by its id or the end of it`, async (t) => {
      for (const name of [id, id.toLowerCase(), id.slice(-8)]) {
        await t.test(name, async () => {
          const shown = await ask('decisions', 'show', name);
          assert.equal(shown.code, 0, shown.err);
          assert.ok(shown.out.startsWith(`decision    ${id}\nanswer      admitted (audit)\n`));
          assert.match(shown.out, /^policy {6}starter \(audit\): audit, sha256:/m);
          const explained = await ask('decisions', 'explain', name);
          assert.equal(explained.code, 0, explained.err);
          assert.ok(explained.out.startsWith('ADMIT (audit)  '), explained.out);
          assert.match(explained.out, /^ +└─ fail {2}signed {2}.*\n +remedy: /m);
          assert.doesNotMatch(explained.out, /given 1 times/);
        });
      }
      for (const { name, exit, code } of [
        { name: '0'.repeat(26), exit: 1, code: 'record.decision-unknown' },
        { name: 'ZZZZZZZZ', exit: 1, code: 'record.decision-unknown' },
        { name: id.slice(-7), exit: 1, code: 'record.decision-unknown' },
        { name: '../x', exit: 2, code: 'usage.invalid' },
      ]) {
        await t.test(name, async () => {
          for (const verb of ['show', 'explain']) {
            const run = await ask('decisions', verb, name);
            assert.equal(run.code, exit, run.out);
            assert.ok(run.err.includes(`[${code}]`), run.err);
          }
        });
      }
    });

    test(`${place.where}: the record is verified, exported and proved by its key`, async (t) => {
      const path = (name: string) =>
        join(folder, `${place.where === 'offline' ? 'o' : 's'}-${name}`);
      const verified = await ask('record', 'verify');
      assert.equal(verified.code, 0, verified.out + verified.err);
      assert.match(verified.out, /^VERIFIED {2}4 entries$/m);
      const key = await ask('record', 'key');
      assert.match(key.out, /^-----BEGIN PUBLIC KEY-----\n/);
      const head = await ask('record', 'head');
      assert.match(head.out, /^127\.0\.0\.1:\d+\/record\n4\n/);
      await writeFile(path('key.pub'), key.out);
      await writeFile(path('head.note'), head.out);
      const exported = await ask('record', 'export', '--output', path('all.jsonl'));
      assert.equal(exported.code, 0, exported.err);
      const text = await readFile(path('all.jsonl'), 'utf8');
      const part = await ask('record', 'export', '--tag', 'v2');
      await writeFile(path('part.jsonl'), part.out);
      await writeFile(path('cut.jsonl'), text.split('\n').toSpliced(2, 1).join('\n'));
      await writeFile(path('changed.jsonl'), text.replace('signature.none', 'signature.nine'));
      const { out: other } = await call(['key', 'public', '--key', join(data, 'keys/starter.pub')]);
      await writeFile(path('other.pub'), other);
      const csv = await ask('record', 'export', '--format', 'csv');
      await writeFile(path('all.csv'), csv.out);
      assert.equal(csv.out.trimEnd().split('\n').length, 5);
      const withKey = ['--key', path('key.pub')];
      const withHead = ['--head', path('head.note')];
      const cases: readonly {
        name: string;
        args: readonly string[];
        exit: number;
        code?: string;
        atPlace?: true;
      }[] = [
        { name: 'whole', args: [path('all.jsonl'), ...withKey], exit: 0 },
        {
          name: 'whole, to a kept head',
          args: [path('all.jsonl'), ...withKey, ...withHead],
          exit: 0,
        },
        { name: 'cut', args: [path('cut.jsonl'), ...withKey], exit: 1, code: 'record.gap' },
        {
          name: 'changed',
          args: [path('changed.jsonl'), ...withKey],
          exit: 1,
          code: 'record.chain-broken',
        },
        {
          name: 'of another key',
          args: [path('all.jsonl'), '--key', path('other.pub')],
          exit: 1,
          code: 'record.head-invalid',
        },
        {
          name: 'of another name',
          args: [path('all.jsonl'), ...withKey, '--name', 'other.example/record'],
          exit: 1,
          code: 'record.head-invalid',
        },
        {
          name: 'a part',
          args: [path('part.jsonl'), ...withKey],
          exit: 1,
          code: 'record.export-partial',
        },
        {
          name: 'a part that may be one',
          args: [path('part.jsonl'), ...withKey, '--partial'],
          exit: 0,
        },
        {
          name: 'a table',
          args: [path('all.csv'), ...withKey],
          exit: 1,
          code: 'record.entry-malformed',
        },
        { name: 'without a key', args: [path('all.jsonl')], exit: 2, code: 'usage.invalid' },
        { name: 'not there', args: [path('no'), ...withKey], exit: 2, code: 'usage.file' },
        { name: 'the place, to a kept head', args: withHead, exit: 0, atPlace: true },
        { name: 'the place, by a key', args: withKey, exit: 0, atPlace: true },
        { name: 'a range', args: ['--first', '2', '--last', '3'], exit: 0, atPlace: true },
        {
          name: 'a head that is none',
          args: ['--head', path('key.pub')],
          exit: 1,
          code: 'record.head-invalid',
          atPlace: true,
        },
      ];
      for (const { name, args, exit, code, atPlace } of cases) {
        await t.test(name, async () => {
          const verify = ['record', 'verify', ...args];
          const run = atPlace === true ? await ask(...verify) : await call(verify);
          assert.equal(run.code, exit, run.out + run.err);
          if (exit === 0) assert.match(run.out, /^VERIFIED {2}/);
          if (exit === 1) assert.match(run.out, /^REFUSED {2}/);
          if (exit === 2) assert.ok(run.err.includes(`[${code}]`), run.err);
          if (exit !== 1) return;
          const json = [...verify, '-o', 'json'];
          const { out } = atPlace === true ? await ask(...json) : await call(json);
          assert.ok(out.includes(`"code": "${code}"`), out);
        });
      }
    });
  }

  test('pruning is offline, is asked for, and leaves what is left provable', async (t) => {
    const before = ['record', 'prune', '--before', '2100-01-01'];
    await t.test('without a yes nothing goes', async () => {
      const run = await call([...before, '--data', data]);
      assert.equal(run.code, 2);
      assert.match(run.err, /\[usage\.invalid\]/);
    });
    await t.test('a server prunes by itself', async () => {
      const run = await call([...before, '--yes', '--server', 'http://127.0.0.1:1'], {
        BULLA_TOKEN: 'bulla_x',
      });
      assert.equal(run.code, 2);
      assert.match(run.err, /\[usage\.invalid\]/);
    });
    const none = await call(['record', 'prune', '--before', '2020-01-01', '-y', '--data', data]);
    assert.match(none.out, /^nothing was removed/);
    const pruned = await call([...before, '--yes', '--data', data]);
    assert.equal(pruned.code, 0, pruned.err);
    assert.match(pruned.out, /^removed 3 entries, up to number 3/);
    const verified = await call(['record', 'verify', '--data', data]);
    assert.equal(verified.code, 0, verified.out);
    assert.match(verified.out, /record\.start {2}3 entries up to 3, .* were pruned/);
  });

  test('after a start under another address the record has the name that it began with', async () => {
    await using again = await startUp(data);
    assert.notEqual(again.ready.registry, house.ready.registry);
    await again.stop();
    const { code, out } = await call(['record', 'verify', '--data', data]);
    assert.equal(code, 0, out);
    assert.ok(out.includes(`of ${house.ready.registry}/record`), out);
  });
});
