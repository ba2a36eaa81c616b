import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { thirdPartyNotices } from '../tools/build/notices.ts';
import { publish } from '../tools/build/publish.ts';
import { licenceIsAllowed } from '../tools/licences/allowed.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

function inFolder(use: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'bulla-build-'));
  try {
    use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('a build leaves what has not changed alone and removes what is left over', () => {
  inFolder((folder) => {
    const first = [
      { path: 'a.js', bytes: bytes('a') },
      { path: 'deep/b.js', bytes: bytes('b') },
    ];
    assert.equal(publish(folder, first), 2);
    const before = statSync(join(folder, 'a.js')).mtimeMs;
    assert.equal(publish(folder, first), 0);
    assert.equal(statSync(join(folder, 'a.js')).mtimeMs, before);
    mkdirSync(join(folder, 'kept'));
    writeFileSync(join(folder, 'kept/c.js'), 'c');
    assert.equal(publish(folder, [{ path: 'a.js', bytes: bytes('a2') }], ['kept']), 2);
    assert.deepEqual(readdirSync(folder).sort(), ['a.js', 'deep', 'kept']);
    assert.deepEqual(readdirSync(join(folder, 'deep')), []);
    assert.deepEqual(readdirSync(join(folder, 'kept')), ['c.js']);
  });
});

/** A package in `node_modules` of `root` with one file; returns the path of that file from `root`. */
function plant(root: string, manifest: object, files: Readonly<Record<string, string>>): string {
  const folder = join(root, 'node_modules/planted');
  mkdirSync(folder, { recursive: true });
  const all = { 'package.json': JSON.stringify(manifest), 'index.js': '', ...files };
  for (const [name, text] of Object.entries(all)) writeFileSync(join(folder, name), text);
  return 'node_modules/planted/index.js';
}

const NOTICES = [
  {
    name: 'the licence file',
    manifest: { license: 'ISC' },
    files: { LICENSE: 'Copyright A' },
    expect: /planted 1\.0\.0 \(ISC\)\n\nCopyright A\n/,
  },
  {
    name: 'the head of a file when there is none',
    manifest: { license: 'BSD-3-Clause' },
    files: { 'index.js': '// Copyright B\n// All rights.\nexport {};\n' },
    expect: /\(BSD-3-Clause\)\n\nCopyright B\nAll rights\.\n/,
  },
  {
    name: 'the MIT text for a package that only names it',
    manifest: { license: 'MIT', author: { name: 'C' } },
    files: {},
    expect: /Copyright \(c\) C\n\nPermission is hereby granted/,
  },
];

test('the notices hold a text for each bundled package', async (t) => {
  for (const { name, manifest, files, expect } of NOTICES) {
    await t.test(name, () =>
      inFolder((root) => {
        const path = plant(root, { name: 'planted', version: '1.0.0', ...manifest }, files);
        assert.match(thirdPartyNotices(root, [path, 'packages/cli/src/main.ts']), expect);
      }),
    );
  }
  await t.test('and refuse a package without any', () =>
    inFolder((root) => {
      const path = plant(root, { name: 'planted', version: '1.0.0', license: 'ISC' }, {});
      assert.throws(() => thirdPartyNotices(root, [path]), /planted ships no licence text/);
    }),
  );
  await t.test('and one that may be used for development only', () =>
    inFolder((root) => {
      const manifest = { name: 'planted', version: '1.0.0', license: 'MPL-2.0' };
      const path = plant(root, manifest, { LICENSE: 'Copyright D' });
      assert.throws(() => thirdPartyNotices(root, [path]), /planted is bundled/);
    }),
  );
});

test('a licence expression is allowed by one side of an OR and every side of an AND', () => {
  const allowed = [
    'MIT',
    '(MIT OR GPL-3.0-only)',
    '(Apache-2.0 AND BSD-3-Clause)',
    'GPL-2.0 OR ISC',
  ];
  const refused = [
    '',
    'UNLICENSED',
    'GPL-3.0-only',
    'MIT AND GPL-3.0-only',
    '(MIT OR (X AND Y)) AND Z',
  ];
  for (const expression of allowed) assert.equal(licenceIsAllowed(expression), true, expression);
  for (const expression of refused) assert.equal(licenceIsAllowed(expression), false, expression);
});
