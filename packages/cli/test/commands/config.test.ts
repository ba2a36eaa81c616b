import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { INITIAL_CONFIG } from '../../src/server/initial-config.ts';
import { bulla, emptyFolder } from './run.ts';

const ENV = { GHCR_USER: 'u', GHCR_TOKEN: 't', BULLA_METRICS_TOKEN: 'sixteen characters' };
const POSTGRES = { BULLA_POSTGRES_URL: 'postgres://bulla@127.0.0.1/bulla' };

/** What `config check` and `serve` say of each file. */
const CASES: readonly {
  readonly name: string;
  readonly text: string;
  readonly lines: readonly RegExp[];
}[] = [
  {
    name: 'a member that there is not',
    text: 'lisen: []\n',
    lines: [/:1:1: config\.unknown-member: .*"listen"/],
  },
  {
    name: 'several mistakes, each with its place',
    text: 'data: {}\nrecord: { retention: soon }\nmetrics: { tokenEnv: NO_SUCH }\n',
    lines: [
      /:1:7: config\.invalid: /,
      /:2:22: config\.invalid: /,
      /:3:22: config\.environment-unset: /,
    ],
  },
  {
    name: 'plain HTTP for other machines',
    text: 'listen: [{ url: "http://0.0.0.0:5000" }]\n',
    lines: [/:1:17: http\.plain-not-loopback: /],
  },
  { name: 'no YAML', text: 'data: [\n', lines: [/:\d+:\d+: config\.invalid: /] },
];

test('what is wrong with a configuration is said a line each, by check and by serve', async (t) => {
  await using folder = await emptyFolder();
  for (const { name, text, lines } of CASES) {
    await t.test(name, async () => {
      const path = join(folder.path, 'bulla.yaml');
      await writeFile(path, text);
      const checked = await bulla(['config', 'check', path]);
      assert.equal(checked.code, 2, checked.err);
      const served = await bulla(['serve', '--config', path]);
      assert.equal(served.code, 2, served.err);
      assert.equal(served.out, '');
      const printed = checked.out.trimEnd().split('\n');
      assert.equal(printed.length, lines.length, checked.out);
      lines.forEach((line, index) => {
        assert.match(printed[index] ?? '', line);
        assert.match(served.err, line);
      });
      const json = await bulla(['config', 'check', path, '-o', 'json']);
      assert.equal(json.code, 2);
      assert.equal(JSON.parse(json.out).valid, false);
    });
  }
});

test('a file that cannot be read, and one that names what is not there', async () => {
  await using folder = await emptyFolder();
  const path = join(folder.path, 'bulla.yaml');
  for (const args of [
    ['config', 'check', path],
    ['serve', '--config', path],
  ]) {
    const run = await bulla(args);
    assert.equal(run.code, 2);
    assert.match(run.err, /\[config\.unreadable\]/);
  }
  await writeFile(path, 'policies: [gone.yaml]\n');
  const checked = await bulla(['config', 'check', path]);
  assert.equal(checked.code, 2);
  assert.match(checked.out, /^config\.unreadable: policies\[0\] names /m);
});

test('what init prints is a configuration, as it is and with every example', async (t) => {
  await using folder = await emptyFolder();
  const { out, code } = await bulla(['config', 'init']);
  assert.equal(code, 0);
  assert.equal(out.trimEnd(), INITIAL_CONFIG.trimEnd());
  const path = join(folder.path, 'bulla.yaml');
  await t.test('as it is', async () => {
    await writeFile(path, out);
    const run = await bulla(['config', 'check', path]);
    assert.equal(run.code, 0, run.out);
    assert.match(run.out, /^ok: /);
  });
  await t.test('with every example', async () => {
    // Prose has a space after the #; an example has none, or is deeper than prose ever is.
    const examples = out.replaceAll(/^#(?=[a-z]| {2,}\S)/gm, '');
    await mkdir(join(folder.path, 'policies'));
    await mkdir(join(folder.path, 'tls'));
    for (const file of ['tls/server.pem', 'tls/server-key.pem']) {
      await writeFile(join(folder.path, file), '');
    }
    await writeFile(path, examples);
    const run = await bulla(['config', 'check', path, '-o', 'json'], { ...ENV, ...POSTGRES });
    assert.equal(run.code, 0, run.out);
    const { config } = JSON.parse(run.out);
    assert.equal(config.gateway.upstreams.length, 2);
    assert.equal(config.listen.length, 3);
    assert.ok(!run.out.includes('sixteen characters'), 'secrets are shown by their names');
  });
});
