// The rules of docs/semantics.md, the findings that cite them, and the tests that play their attackers.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '..');

function textOf(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** The numbers of the rules that the page has, in its order. */
const RULES = [...textOf('docs/semantics.md').matchAll(/^(\d+)\. \*\*/gm)].map(([, number]) =>
  Number(number),
);

function filesOf(pattern: string): readonly string[] {
  return globSync(pattern, { cwd: ROOT, exclude: (path) => /node_modules|dist$/.test(path) });
}

test('the rules are numbered in order, each once', () => {
  assert.ok(RULES.length > 15, `${RULES.length}`);
  assert.deepEqual(
    RULES,
    [...new Set(RULES)].sort((a, b) => a - b),
  );
});

test('every rule that a finding names as its source is on the page', () => {
  const cited = filesOf('packages/*/src/**/*.ts').flatMap((path) =>
    [...textOf(path).matchAll(/'semantics (\d+)'/g)].map(([, number]) => Number(number)),
  );
  assert.ok(cited.length > 10, `${cited.length}`);
  assert.deepEqual(
    [...new Set(cited)].filter((number) => !RULES.includes(number)),
    [],
  );
});

/** Rules that a row of the threat model names beside the tests that play its attacker. */
function playedByTheModel(): readonly number[] {
  const rows = textOf('docs/threat-model.md')
    .split('\n')
    .filter((line) => /\.test\.ts\)/.test(line));
  return rows.flatMap((row) =>
    [...row.matchAll(/\((\d+(?:, \d+)*)\)/g)].flatMap(([, numbers = '']) =>
      numbers.split(', ').map(Number),
    ),
  );
}

/** Rules that a test says it is about. */
function playedByTests(): readonly number[] {
  const cited = /\bsemantics (\d+(?:(?:, (?:and )?| and )\d+)*)/gi;
  const files = filesOf('packages/*/test/**/*.ts').concat(filesOf('journeys/**/*.ts'));
  return files.flatMap((path) =>
    [...textOf(path).matchAll(cited)].flatMap(([, numbers = '']) =>
      (numbers.match(/\d+/g) ?? []).map(Number),
    ),
  );
}

test('every rule has a test that plays its attacker', () => {
  const played = new Set([...playedByTheModel(), ...playedByTests()]);
  assert.deepEqual(
    RULES.filter((number) => !played.has(number)),
    [],
  );
});

/** Rule → the tests that the page names for it. */
function namedByThePage(): ReadonlyMap<number, readonly string[]> {
  const rows = [...textOf('docs/semantics.md').matchAll(/^\| (\d+) \| (.*) \|$/gm)];
  return new Map(
    rows.map(([, number, cell = '']) => [
      Number(number),
      [...cell.matchAll(/\]\(\.\.\/([^)]+\.test\.ts)\)/g)].map(([, path = '']) => path),
    ]),
  );
}

test('the page names the tests of every rule, and they are there', () => {
  const named = namedByThePage();
  assert.deepEqual([...named.keys()], RULES);
  for (const [rule, paths] of named) {
    assert.ok(paths.length > 0, `rule ${rule}`);
    // A file that holds no test plays nobody.
    for (const path of paths) assert.ok(/\b(?:test|it)\(/.test(textOf(path)), path);
  }
});
