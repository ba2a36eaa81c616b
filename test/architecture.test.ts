import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import {
  judgeFunctions,
  judgeRooms,
  judgeShape,
  judgeSources,
  type SourceFile,
} from './architecture/judge.ts';
import { PACKAGES } from './architecture/layers.ts';
import { scan } from './architecture/scan.ts';

const ROOT = join(import.meta.dirname, '..');
const PACKAGES_FOLDER = join(ROOT, 'packages');

function sources(): readonly SourceFile[] {
  return globSync('*/src/**/*.{ts,tsx}', { cwd: PACKAGES_FOLDER }).map((path) => ({
    path,
    text: readFileSync(join(PACKAGES_FOLDER, path), 'utf8'),
  }));
}

test('every import leads to the own folder or a lower rank', () => {
  const { edges, violations } = judgeSources(sources());
  assert.deepEqual(violations, []);
  assert.ok(edges > 10, `the scanner saw ${edges} edges: it is blind`);
});

test('the sources of each package were read', () => {
  const seen = new Set(sources().map(({ path }) => path.split('/')[0]));
  const folders = globSync('*/package.json', { cwd: PACKAGES_FOLDER });
  for (const folder of folders) {
    const pkg = folder.split('/')[0] ?? '';
    assert.ok(pkg in PACKAGES, `package ${pkg} has no layers in layers.ts`);
  }
  assert.ok(seen.has('trust'));
});

test('each room has the files of its kind', () => {
  assert.deepEqual(judgeRooms(globSync('*/src/**/*.{ts,md}', { cwd: PACKAGES_FOLDER })), []);
});

test('names say what a file holds and no file is too long', () => {
  const paths = globSync(
    [
      'packages/*/{src,test,bin}/**/*.{ts,tsx,js}',
      '{bench,demo,journeys,test,tools}/**/*.{ts,tsx}',
    ],
    { cwd: ROOT },
  );
  assert.ok(paths.length > 30);
  const violations = paths.flatMap((path) =>
    judgeShape({ path, text: readFileSync(join(ROOT, path), 'utf8') }),
  );
  assert.deepEqual(violations, []);
});

test('no function of the sources is too long', () => {
  assert.deepEqual(sources().flatMap(judgeFunctions), []);
});

test('no two files of fault codes share a code, and the one table holds them all', async () => {
  const folder = join(PACKAGES_FOLDER, 'trust/src/fault');
  const owner = new Map<string, string>();
  for (const path of globSync(join(folder, 'codes/*.ts'))) {
    const exported: unknown = await import(pathToFileURL(path).href);
    assert.ok(typeof exported === 'object' && exported !== null);
    const tables = Object.values(exported);
    assert.equal(tables.length, 1, `${path} exports one table`);
    for (const code of Object.keys(tables[0])) {
      assert.match(code, /^[a-z0-9]+(-[a-z0-9]+)*\.[a-z0-9]+(-[a-z0-9]+)*$/);
      assert.equal(owner.get(code), undefined, `${code} is in ${owner.get(code)} and ${path}`);
      owner.set(code, relative(folder, path));
    }
  }
  const { CODES } = await import('@bulla/trust/fault/codes');
  assert.deepEqual([...owner.keys()].sort(), Object.keys(CODES).sort());
});

const PLANTED = [
  {
    name: 'a higher rank, statically',
    path: 'trust/src/bytes/a.ts',
    text: "import { b } from '../crypto/b.ts';",
    expect: /rank 1\) imports crypto\/b\.ts \(rank 2\)/,
  },
  {
    name: 'the same rank in another folder, as a type',
    path: 'trust/src/bytes/a.ts',
    text: "import type { Finding } from '../finding/finding.ts';",
    expect: /rank 1\) imports finding\/finding\.ts \(rank 1\)/,
  },
  {
    name: 'a higher rank, by a re-export',
    path: 'trust/src/oci/a.ts',
    text: "export { b } from '../policy/b.ts';",
    expect: /imports policy\/b\.ts/,
  },
  {
    name: 'a higher rank, dynamically',
    path: 'trust/src/oci/a.ts',
    text: "export async function a() { return import('../policy/b.ts'); }",
    expect: /imports policy\/b\.ts/,
  },
  {
    name: 'a higher rank, as a type inside an expression',
    path: 'trust/src/oci/a.ts',
    text: "export function a(b: import('../policy/b.ts').B): void {}",
    expect: /imports policy\/b\.ts/,
  },
  {
    name: 'a higher rank, through the package’s own door',
    path: 'trust/src/oci/a.ts',
    text: "import { b } from '@bulla/trust/policy/b';",
    expect: /imports policy\/b\.ts/,
  },
  {
    name: 'a dynamic import that cannot be read',
    path: 'trust/src/oci/a.ts',
    text: 'export async function a(name: string) { return import(name); }',
    expect: /not a literal/,
  },
  {
    name: 'a room that imports a room',
    path: 'trust/src/formats/notation/verify.ts',
    text: "import { b } from '../cosign-legacy/parse.ts';",
    expect: /room formats\/notation imports room formats\/cosign-legacy/,
  },
  {
    name: 'a storage room that imports another',
    path: 'server/src/storage/files/open.ts',
    text: "import { b } from '../memory/objects.ts';",
    expect: /room storage\/files imports room storage\/memory/,
  },
  {
    name: 'a service that imports a service',
    path: 'server/src/ca/service.ts',
    text: "import { b } from '../ct-log/service.ts';",
    expect: /imports ct-log\/service\.ts/,
  },
  {
    name: 'the library that imports the server',
    path: 'trust/src/verify.ts',
    text: "import { b } from '@bulla/server/main';",
    expect: /may not import package server/,
  },
  {
    name: 'a command other than up and serve that imports the server, by path',
    path: 'cli/src/commands/verify.ts',
    text: "import { b } from '../../../server/src/main.ts';",
    expect: /may not import package server/,
  },
  {
    name: 'the console that takes a value from the server',
    path: 'console/src/api/a.ts',
    text: "import { b } from '@bulla/server/console/service';",
    expect: /more than types/,
  },
  {
    name: 'the console that takes a value beside a type, by path',
    path: 'console/src/api/a.tsx',
    text: "import { type A, b } from '../../../server/src/console/service.ts';",
    expect: /more than types/,
  },
  {
    name: 'the console that loads the server',
    path: 'console/src/api/a.ts',
    text: "export async function a() { return import('@bulla/server/console/service'); }",
    expect: /more than types/,
  },
  {
    name: 'a page of the console that imports the library',
    path: 'console/src/pages/decisions/a.tsx',
    text: "import type { Finding } from '@bulla/trust/finding/finding';",
    expect: /may not import package trust/,
  },
  {
    name: 'a page of the console that imports another, with markup',
    path: 'console/src/pages/decisions/a.tsx',
    text: "import { B } from '../users/b.tsx'; export function A() { return <B />; }",
    expect: /room pages\/decisions imports room pages\/users/,
  },
  {
    name: 'the clock in a page of the console',
    path: 'console/src/pages/decisions/a.tsx',
    text: 'export function A() { return <p>{Date.now()}</p>; }',
    expect: /uses Date\.now outside/,
  },
  {
    name: 'a folder that no layer names',
    path: 'trust/src/extras/a.ts',
    text: 'export const a = 1;',
    expect: /in no layer/,
  },
  {
    name: 'a default export',
    path: 'trust/src/bytes/a.ts',
    text: 'export default function a() {}',
    expect: /default export/,
  },
  {
    name: 'a star export',
    path: 'trust/src/bytes/a.ts',
    text: "export * from './b.ts';",
    expect: /export \*/,
  },
  {
    name: 'a part of the registry that imports the composition root',
    path: 'server/src/registry.ts',
    text: "import { b } from './main.ts';",
    expect: /imports main\.ts/,
  },
  ...[
    'node:process',
    'node:fs',
    'node:fs/promises',
    'node:http',
    'node:https',
    'node:net',
    'node:tls',
    'fs',
  ].map((module) => ({
    name: `${module} where no I/O is`,
    path: 'trust/src/tlog/a.ts',
    text: `import * as io from '${module}';`,
    expect: new RegExp(`uses ${module} outside`),
  })),
  {
    name: 'files in the pure part of a format',
    path: 'trust/src/formats/notation/verify.ts',
    text: "import { readFileSync } from 'node:fs';",
    expect: /uses node:fs outside/,
  },
  ...[
    'Date.now()',
    'globalThis.Date.now()',
    "Date['now']()",
    'new Date()',
    'Math.random()',
    'process.env["HOME"]',
    'fetch("https://a.example")',
  ].map((text) => ({
    name: `${text} where no I/O is`,
    path: 'trust/src/tlog/a.ts',
    text: `export function a() { return ${text}; }`,
    expect: /outside the folders that do I\/O/,
  })),
];

test('the scanner sees planted violations', async (t) => {
  for (const { name, path, text, expect } of PLANTED) {
    await t.test(name, () => {
      const { violations } = judgeSources([{ path, text }]);
      assert.equal(violations.length, 1);
      assert.match(violations[0] ?? '', expect);
    });
  }
});

const ALLOWED = [
  {
    name: 'a lower rank and the own folder',
    path: 'trust/src/crypto/a.ts',
    text: "import { b } from '../bytes/b.ts'; import { c } from './c.ts';",
    edges: 2,
  },
  {
    name: 'the list of a kind imports its rooms',
    path: 'trust/src/formats/list.ts',
    text: "import { b } from './notation/format.ts';",
    edges: 1,
  },
  {
    name: 'comments and strings are not imports',
    path: 'trust/src/bytes/a.ts',
    text: "// import { b } from '../policy/b.ts';\nexport const a = \"import '../policy/b.ts'\";",
    edges: 0,
  },
  {
    name: 'a date of an argument',
    path: 'trust/src/tlog/a.ts',
    text: 'export function a(ms: number) { return new Date(ms); }',
    edges: 0,
  },
  {
    name: 'files in the finding part of a format',
    path: 'trust/src/formats/notation/find.ts',
    text: "import { readFileSync } from 'node:fs';",
    edges: 0,
  },
  {
    name: 'the console that takes a type from the server',
    path: 'console/src/api/a.ts',
    text: "import type { B } from '@bulla/server/console/service';",
    edges: 1,
  },
  {
    name: 'a verb that uses the other one',
    path: 'trust/src/sign.ts',
    text: "import { verify } from './verify.ts';",
    edges: 1,
  },
  {
    name: 'a fetch that came in as an argument',
    path: 'trust/src/tlog/a.ts',
    text: 'export function a(fetch: (url: string) => void) { fetch("https://a.example"); }',
    edges: 0,
  },
  {
    name: 'the command that starts the server',
    path: 'cli/src/commands/up.ts',
    text: "export async function up() { return import('@bulla/server/main'); }",
    edges: 1,
  },
];

test('the scanner lets pass what the design allows', async (t) => {
  for (const { name, path, text, edges } of ALLOWED) {
    await t.test(name, () => {
      assert.deepEqual(judgeSources([{ path, text }]), { edges, violations: [] });
    });
  }
});

test('a file that does not parse is an error, not a clean file', () => {
  assert.throws(() => scan('a.ts', 'import {'), /does not parse/);
});

test('rooms that lack a file and names that say nothing are seen', () => {
  assert.deepEqual(judgeRooms(['trust/src/keys/vault/open.ts', 'trust/src/keys/vault/README.md']), [
    'trust/src/keys/vault: a key store room has reference.ts',
    'trust/src/keys/vault: a key store room has signer.ts',
  ]);
  assert.equal(judgeShape({ path: 'packages/trust/src/bytes/utils.ts', text: '' }).length, 1);
  assert.equal(judgeShape({ path: 'packages/trust/src/common/a.ts', text: '' }).length, 1);
  assert.deepEqual(judgeShape({ path: 'a.ts', text: 'x\n'.repeat(400) }), []);
  assert.equal(judgeShape({ path: 'a.ts', text: 'x\n'.repeat(401) }).length, 1);
});

test('a long function is seen, and an object of short closures is not one', () => {
  const body = '  a();\n'.repeat(40);
  const inner = `  x() {\n${body}  },\n`;
  const long = { path: 'a.ts', text: `export function a() {\n${body}${body}}\n` };
  assert.deepEqual(judgeFunctions(long), ['a.ts:1: a function of 82 lines']);
  assert.deepEqual(
    judgeFunctions({
      path: 'a.ts',
      text: `export function b() {\n return {\n${inner}${inner}};\n}`,
    }),
    [],
  );
});
