import assert from 'node:assert/strict';
import { globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '..');

const DOCUMENTS = globSync('**/*.md', {
  cwd: ROOT,
  exclude: (path) => /(^|\/)(node_modules|dist|\.peers|\.cache|vectors)$/.test(path),
});

/** Markdown without its code: a link in there is text. */
function prose(markdown: string): string {
  return markdown.replaceAll(/^( *)```[\s\S]*?^\1```/gm, '').replaceAll(/`[^`\n]*`/g, 'code');
}

/** The targets of inline links, `[text](target)`. */
function linksOf(markdown: string): readonly string[] {
  return [...prose(markdown).matchAll(/\]\(([^()\s]+)\)/g)].flatMap(([, target]) => target ?? []);
}

/** The anchor of a heading, as GitHub and GitLab make it. */
function anchorOf(heading: string): string {
  const plain = heading.replaceAll(/[`*]/g, '').toLowerCase();
  return plain.replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-');
}

function anchorsOf(markdown: string): readonly string[] {
  const headings = markdown.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, heading]) => anchorOf(heading ?? ''));
}

/** Null when a relative link leads to a file (and a heading) that is there, else why not. */
function deadEnd(document: string, link: string): string | null {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? join(ROOT, document) : join(ROOT, dirname(document), path);
  if (relative(ROOT, target).startsWith('..')) return 'leads out of the repository';
  const found = statSync(target, { throwIfNoEntry: false });
  if (found === undefined) return 'is not there';
  if (anchor === undefined || !found.isFile()) return null;
  return anchorsOf(readFileSync(target, 'utf8')).includes(anchor) ? null : `has no #${anchor}`;
}

test('every relative link of every document leads somewhere', () => {
  let followed = 0;
  const dead: string[] = [];
  for (const document of DOCUMENTS) {
    for (const link of linksOf(readFileSync(join(ROOT, document), 'utf8'))) {
      if (/^[a-z][a-z0-9+.-]*:/i.test(link)) continue;
      followed++;
      const why = deadEnd(document, link);
      if (why !== null) dead.push(`${document}: ${link} ${why}`);
    }
  }
  assert.deepEqual(dead, []);
  assert.ok(followed > 50, `only ${followed} links were found`);
});

test('every cell of the matrix of formats links a test, or says why there is none', () => {
  const matrix = readFileSync(join(ROOT, 'docs/formats.md'), 'utf8');
  const rows = matrix.split('\n').filter((line) => /^\|(?! *-|---)/.test(line));
  const cells = rows.flatMap((row) => row.slice(1, -1).split(' | ').slice(1));
  const claims = cells.filter((cell) => cell.includes(']('));
  assert.ok(claims.length > 40, `only ${claims.length} cells were found`);
  for (const claim of claims) {
    for (const link of linksOf(claim)) assert.match(link, /\.test\.ts$/, claim);
  }
  for (const cell of cells) assert.doesNotMatch(cell, /^ *(yes|no)? *$/, 'a claim without a test');
});

test('every attack of the threat model links the tests that play it', () => {
  const model = readFileSync(join(ROOT, 'docs/threat-model.md'), 'utf8');
  const rows = model.split('\n').filter((line) => /^\|(?! *(?:tries|happens) |---)/.test(line));
  assert.ok(rows.length > 35, `only ${rows.length} attacks were found`);
  for (const row of rows) {
    const links = linksOf(row);
    assert.ok(links.length > 0, row);
    for (const link of links) assert.match(link, /\/(?:test|journeys)\/.*(?:\.test\.ts|\/)$/, row);
  }
});

const COMMAND_WORDS = /\bbulla ((?:key|blob|doctor) [a-z]+|[a-z]+(?:-[a-z]+)*)\b/g;

test('every command that a document names is there', () => {
  const list = readFileSync(join(ROOT, 'packages/cli/src/commands/list.ts'), 'utf8');
  const commands = [...list.matchAll(/name: '([a-z]+(?:-[a-z]+)*)'/g)].map(
    ([, name]) => name ?? '',
  );
  assert.ok(commands.length > 10);
  const unknown: string[] = [];
  for (const document of DOCUMENTS.filter((path) => /^(README|docs\/)/.test(path))) {
    const markdown = readFileSync(join(ROOT, document), 'utf8');
    const code = markdown.match(/```[\s\S]*?```|`[^`\n]+`/g) ?? [];
    for (const [, words = ''] of code.join('\n').matchAll(COMMAND_WORDS)) {
      const [command = ''] = words.split(' ');
      if (!commands.includes(command)) unknown.push(`${document}: bulla ${words}`);
    }
  }
  assert.deepEqual(unknown, []);
});
