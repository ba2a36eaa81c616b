// Every `bulla …` of a document is asked of the commands themselves: its words, and its options.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { COMMANDS } from '../packages/cli/src/commands/list.ts';
import { exitTally } from '../packages/cli/src/context.ts';
import { CODES } from '../packages/trust/src/fault/codes.ts';

const ROOT = join(import.meta.dirname, '..');
const { Command } = createRequire(join(ROOT, 'packages/cli/package.json'))('commander');

/** What is read here of one of commander's commands. */
interface Known {
  readonly commands: readonly (Known & { name(): string })[];
  readonly options: readonly { readonly long?: string; readonly short?: string }[];
  readonly registeredArguments: readonly unknown[];
}

const program: Known = new Command('bulla').option('-V, --version');

before(async () => {
  const context = {
    env: {},
    homeFolder: '/nonexistent',
    out: () => undefined,
    err: () => undefined,
    terminal: { in: false, out: false, err: false },
    clock: () => new Date(),
    now: () => 0,
    signal: new AbortController().signal,
    exit: exitTally(),
  };
  for (const { name, load } of COMMANDS) {
    const command = new Command(name);
    (await load()).configure(command, context);
    Object(program).addCommand(command);
  }
});

/** The words of each call of `bulla` in the code of a document; a folder of that name is none. */
function callsOf(markdown: string): readonly (readonly string[])[] {
  const blocks = [...markdown.matchAll(/^```(?:sh|console|ini)?\n([\s\S]*?)^```/gm)];
  const lines = blocks.flatMap(([, text = '']) => text.replaceAll(/\\\n\s*/g, ' ').split('\n'));
  const prose = markdown.replaceAll(/^```[\s\S]*?^```/gm, '');
  const inline = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, text = '']) => text);
  return [...lines, ...inline].flatMap((line) =>
    [...line.matchAll(/(?:^|[\s(`=]|\/bin\/)bulla((?: +(?:'[^']*'|"[^"]*"|[^\s|;&<>#`]+))+)/g)].map(
      ([, words = '']) => words.match(/'[^']*'|"[^"]*"|\S+/g) ?? [],
    ),
  );
}

/** Null when the commands know a call, else the first word that they do not. */
function unknownOf(words: readonly string[]): string | null {
  let command: Known = program;
  let isNamed = false;
  for (const word of words) {
    // `init|check|fmt` names three.
    const names = word.split('|');
    const found = command.commands.filter((one) => names.includes(one.name()));
    if (!isNamed && command.commands.length > 0 && /^[a-z|]+$/.test(word)) {
      if (found.length !== names.length) return word;
      [command = program] = found;
      continue;
    }
    isNamed = true;
    const [option = ''] = word.split('=', 1);
    if (!/^--?[a-zA-Z]/.test(option) || option === '--help' || option === '-h') continue;
    if (!command.options.some(({ long, short }) => long === option || short === option)) {
      return option;
    }
  }
  return null;
}

const DOCUMENTS = ['README.md', 'CHANGELOG.md', ...globSync('docs/*.md', { cwd: ROOT })];

test('every call of a command that a document shows is one that the commands take', () => {
  let calls = 0;
  const unknown: string[] = [];
  for (const document of DOCUMENTS) {
    for (const words of callsOf(readFileSync(join(ROOT, document), 'utf8'))) {
      calls++;
      const word = unknownOf(words);
      if (word !== null) unknown.push(`${document}: bulla ${words.join(' ')}: ${word}`);
    }
  }
  assert.deepEqual(unknown, []);
  assert.ok(calls > 100, `only ${calls} calls were found`);
});

test('every call of a command that a remedy names is one that the commands take', () => {
  const sources = globSync('packages/{trust,server,cli}/src/**/*.ts', { cwd: ROOT })
    .map((path) => readFileSync(join(ROOT, path), 'utf8'))
    // The lines of a text, without what is filled in.
    .flatMap((text) => [...text.matchAll(/`(bulla [^`\n]+)`/g)].map(([, call = '']) => call));
  const remedies = Object.values(CODES).map(({ remedy }) => remedy);
  const calls = callsOf([...remedies, ...sources.map((call) => `\`${call}\``)].join('\n'));
  assert.ok(calls.length > 50, `only ${calls.length} calls were found`);
  assert.deepEqual(
    calls.filter((words) => unknownOf(words) !== null).map((words) => words.join(' ')),
    [],
  );
});

for (const call of ['policy simulat', 'gate --polcy a', 'policy init|chek', 'up --config a']) {
  test(`a document that shows "bulla ${call}" would be found`, () => {
    assert.notEqual(unknownOf(call.split(' ')), null);
  });
}
