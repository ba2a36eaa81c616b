import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { bulla, emptyFolder, vector } from './run.ts';

const KEY = ['--key', vector('keys/p256.pub')];
// Nothing listens there: what is wrong is told before anything is asked.
const IMAGE = '127.0.0.1:1/app:v1';

test('wrong use is told as such, with its code, before any work', async (t) => {
  await using folder = await emptyFolder();
  const file = join(folder.path, 'file');
  await writeFile(file, '');
  const cases: readonly { name: string; args: readonly string[]; code?: string }[] = [
    { name: 'a timeout that is no number', args: ['tree', IMAGE, '--timeout', 'soon'] },
    { name: 'a timeout of nothing', args: ['verify', IMAGE, ...KEY, '--timeout', '0'] },
    { name: 'a user without password', args: ['tree', IMAGE, '--registry-username', 'u'] },
    { name: 'a password without user', args: ['tree', IMAGE, '--registry-password', 'p'] },
    {
      name: 'a token beside a user',
      args: [
        ...['tree', IMAGE, '--registry-token', 't'],
        ...['--registry-username', 'u', '--registry-password', 'p'],
      ],
    },
    { name: 'a certificate without key', args: ['tree', IMAGE, '--registry-client-cert', file] },
    {
      name: 'a host that is none',
      args: ['tree', IMAGE, '--registry-host', 'https://x/'],
      code: 'reference.malformed',
    },
    { name: 'a user name with a colon', args: ['login', 'r.example', '-u', 'a:b', '-p', 'c'] },
    { name: 'an empty password', args: ['login', 'r.example', '-u', 'u', '-p', ''] },
    {
      name: 'standard input twice',
      args: ['blob', 'verify', '-', '--bundle', '-', ...KEY],
    },
    {
      name: 'a key that is a folder',
      args: ['verify', IMAGE, '--key', folder.path],
      code: 'usage.file',
    },
    {
      name: 'a key that is empty',
      args: ['verify', IMAGE, '--key', file],
      code: 'crypto.key-malformed',
    },
    {
      name: 'a key on the web',
      args: ['verify', IMAGE, '--key', 'https://example.com/k.pub'],
      code: 'key.reference-unsupported',
    },
    {
      name: 'a key in a variable that is unset',
      args: ['verify', IMAGE, '--key', 'env://BULLA_NO_SUCH_KEY'],
      code: 'key.variable-unset',
    },
    { name: 'a folder as file', args: ['inspect', folder.path], code: 'usage.file' },
    { name: 'a file that is not there', args: ['inspect', './no.json'], code: 'usage.file' },
    { name: 'a path of Windows', args: ['inspect', 'C:\\no.json'], code: 'usage.file' },
  ];
  for (const { name, args, code = 'usage.invalid' } of cases) {
    await t.test(name, async () => {
      const run = await bulla(args);
      assert.equal(run.code, 2, run.out + run.err);
      assert.ok(run.err.includes(`[${code}]`), run.err);
      assert.match(run.err, /^remedy: \S/m);
      assert.doesNotMatch(run.err, /^\s+at /m, 'no stack trace');
    });
  }
});

test('JSON output holds no control character, whatever names the user gave', async () => {
  await using folder = await emptyFolder();
  const path = join(folder.path, 'a\u009b31m\u202eb');
  await writeFile(path, '{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"');
  const copied = await bulla([
    'copy',
    `oci:${vector('oci/cosign-key-legacy')}:p256`,
    `oci:${path}2`,
  ]);
  assert.equal(copied.code, 0, copied.err);
  for (const args of [
    ['tree', `oci:${path}2`],
    ['tree', `oci:${path}2`, '-o', 'json'],
    ['inspect', `oci:${path}2`, '-o', 'json'],
    ['verify', `oci:${path}2`, ...KEY],
    ['verify', `oci:${path}2`, ...KEY, '-o', 'json'],
    ['verify', `oci:${path}2`, ...KEY, '-o', 'sarif'],
    ['blob', 'verify', path, '--bundle', path, ...KEY],
  ]) {
    const run = await bulla(args);
    assert.doesNotMatch(run.out + run.err, /[^\P{Cc}\n]|\p{Cf}/u, args.join(' '));
    if (args.includes('json')) assert.match(run.out, /a\\u009b31m\\u202eb2/);
  }
});

test('what no command takes leads to its help', async (t) => {
  for (const args of [['policy', 'check'], ['sign', '--kei', 'x', IMAGE], ['polcy']]) {
    await t.test(args.join(' '), async () => {
      const { code, err } = await bulla(args);
      assert.equal(code, 2);
      assert.match(err, /^remedy: .*--help/m);
    });
  }
});
