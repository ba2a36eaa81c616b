import { quote, TrustFault } from '../fault/fault.ts';
import { readHeredocs } from './heredoc.ts';
import { trimSpace, trimSpaceBefore } from './white-space.ts';

/** One instruction, its continued lines joined. */
export interface Instruction {
  readonly line: number;
  /** In upper case; always one of Docker's own. */
  readonly keyword: string;
  /** The flags before the first word that is none, without their quotes: `--from=x`. */
  readonly flags: readonly string[];
  /** What stands behind the flags. */
  readonly rest: string;
}

/** The instructions of a Dockerfile, and the frontend that its first lines ask for. */
export interface Dockerfile {
  readonly instructions: readonly Instruction[];
  readonly syntax: { readonly image: string; readonly line: number } | null;
}

const MAX_BYTES = 1 << 20;
const DIRECTIVE = /^#[\t ]*([a-z][a-z0-9]*)[\t ]*=[\t ]*([!-~](?:[\t -~]*[!-~])?)[\t ]*$/i;
/** What some builder may take for a directive, whatever spaces it knows. */
const LIKE_DIRECTIVE = /^#[^!-~]*(?:syntax|escape|check)[^!-~]*=/i;
const KEYWORDS: ReadonlySet<string> = new Set([
  'ADD',
  'ARG',
  'CMD',
  'COPY',
  'ENTRYPOINT',
  'ENV',
  'EXPOSE',
  'FROM',
  'HEALTHCHECK',
  'LABEL',
  'MAINTAINER',
  'ONBUILD',
  'RUN',
  'SHELL',
  'STOPSIGNAL',
  'USER',
  'VOLUME',
  'WORKDIR',
]);

/**
 * Reads a Dockerfile into instructions (Dockerfile reference, "Format", "Parser directives",
 * "Here-Documents"), as BuildKit reads it: a line that only this reader took for a part of another
 * would hide an image. Throws `images.dockerfile-malformed` for one over 1 MiB, an instruction that
 * Docker does not have, a here-document without an end, and what builders read differently.
 */
export function readInstructions(text: string): Dockerfile {
  const lines = readLines(text);
  const { continuation, syntax } = readDirectives(lines);
  const instructions: Instruction[] = [];
  let at = 0;
  while (at < lines.length) {
    const start = at;
    const { joined, next } = joinLines(lines, at, continuation);
    at = next;
    if (joined === '') continue;
    const instruction = parseInstruction(joined, start + 1);
    at = skipHeredocs(lines, at, joined, instruction);
    instructions.push(instruction);
  }
  return { instructions, syntax };
}

/**
 * The instructions for builders that know no here-documents (Docker's own before BuildKit, buildah
 * before 1.33) and take the lines of one for more of them; null for what such a builder refuses,
 * because a line begins with no instruction. Throws as `readInstructions` does.
 */
export function readWithoutHeredocs(text: string): readonly Instruction[] | null {
  const lines = readLines(text);
  const { continuation } = readDirectives(lines);
  const instructions: Instruction[] = [];
  let at = 0;
  while (at < lines.length) {
    const start = at;
    if (isNoInstruction(lines[at] ?? '', continuation)) return null;
    const { joined, next } = joinLines(lines, at, continuation);
    at = next;
    if (joined !== '') instructions.push(parseInstruction(joined, start + 1));
  }
  return instructions;
}

/** Whether a line begins with a whole word that is no instruction, and with no comment. */
function isNoInstruction(line: string, continuation: string): boolean {
  const [first = ''] = trimSpace(line).split(/[\t\v\f\r ]/, 1);
  const isWhole = first !== '' && !first.startsWith('#') && !first.endsWith(continuation);
  return isWhole && !KEYWORDS.has(first.toUpperCase());
}

function readLines(text: string): readonly string[] {
  if (text.length > MAX_BYTES) {
    throw new TrustFault('images.dockerfile-malformed', 'expected at most 1 MiB of Dockerfile');
  }
  return text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .map(withoutReturn);
}

/** Builders take one or all of the returns for the end of a line; behind others a `\\` ends none. */
function withoutReturn(line: string, index: number): string {
  const text = line.replace(/\r$/, '');
  if (text.endsWith('\r')) throw unreadable(index + 1, 'a line with one end', line);
  return text;
}

/** The fault of a line that cannot be read, or that builders read differently. */
export function unreadable(line: number, expected: string, found: string): TrustFault {
  return new TrustFault(
    'images.dockerfile-malformed',
    `expected ${expected} at line ${line}, found ${quote(found)}`,
  );
}

function readDirectives(lines: readonly string[]): {
  readonly continuation: string;
  readonly syntax: Dockerfile['syntax'];
} {
  let continuation = '\\';
  let syntax: Dockerfile['syntax'] = null;
  let isOver = false;
  for (const [index, line] of lines.entries()) {
    // For the frontend alone BuildKit passes over a first line that is a shell's.
    const isShebang = index === 0 && line.startsWith('#!');
    const bare = trimSpaceBefore(line);
    const [, word = '', value = ''] = DIRECTIVE.exec(bare) ?? [];
    const name = word.toLowerCase();
    if (name === '' && LIKE_DIRECTIVE.test(bare)) {
      throw unreadable(index + 1, 'a directive in ASCII', line);
    }
    if (name === '' && !isShebang) break;
    if (name === 'syntax') syntax ??= { image: value.split(/\s/, 1)[0] ?? '', line: index + 1 };
    if (name === 'escape') {
      // After other words older builders have stopped to look for directives, and newer ones not.
      if (isOver || (value !== '\\' && value !== '`')) {
        throw unreadable(index + 1, 'escape as the first directive, \\ or `', line);
      }
      continuation = value;
    }
    isOver ||= name !== 'syntax' && name !== 'escape';
  }
  return { continuation, syntax };
}

/** The instruction that begins at `from`, without comments and empty lines inside it. */
function joinLines(
  lines: readonly string[],
  from: number,
  continuation: string,
): { readonly joined: string; readonly next: number } {
  let joined = '';
  for (let at = from; at < lines.length; at++) {
    const line = lines[at] ?? '';
    const bare = trimSpace(line);
    if (bare === '' || bare.startsWith('#')) {
      if (at === from) return { joined, next: at + 1 };
      continue;
    }
    // Spaces and tabs alone may follow the sign.
    const body = line.replace(/[ \t]+$/, '');
    if (!body.endsWith(continuation)) return { joined: trimSpace(joined + line), next: at + 1 };
    const kept = body.slice(0, -1);
    if (kept.endsWith(continuation)) {
      throw unreadable(at + 1, `no ${continuation} before the one that ends a line`, line);
    }
    joined += kept;
  }
  return { joined: trimSpace(joined), next: lines.length };
}

/** One instruction from its whole text. Throws `images.dockerfile-malformed`. */
export function parseInstruction(text: string, line: number): Instruction {
  const [, first = '', behind = ''] = /^([^\t\v\f\r ]+)[\t\v\f\r ]*([\s\S]*)$/.exec(text) ?? [];
  const keyword = first.toUpperCase();
  if (!KEYWORDS.has(keyword)) throw unreadable(line, 'an instruction of Docker', first);
  return { line, keyword, ...splitFlags(behind, line) };
}

/** The flags at the beginning of an instruction's text, with their quotes taken off. */
function splitFlags(text: string, line: number): Pick<Instruction, 'flags' | 'rest'> {
  const flags: string[] = [];
  let rest = text;
  while (rest.startsWith('--')) {
    const [word = ''] = /^(?:"[^"]*"|'[^']*'|[^\s"'])+/.exec(rest) ?? [];
    const behind = rest.slice(word.length);
    const isReadable = /^[\t -~]*$/.test(word) && !/[\\`]/.test(word);
    if (!isReadable || !/^(?:[\t\v\f\r ]|$)/.test(behind)) {
      throw unreadable(line, 'a flag without escapes, in ASCII', rest);
    }
    rest = behind.replace(/^[\t\v\f\r ]+/, '');
    if (word === '--') break;
    flags.push(word.replace(/"([^"]*)"|'([^']*)'/g, '$1$2'));
  }
  return { flags, rest };
}

const HEREDOCS: ReadonlySet<string> = new Set(['RUN', 'COPY', 'ADD']);

/** The line after the here-documents that an instruction opens. */
function skipHeredocs(
  lines: readonly string[],
  from: number,
  text: string,
  { keyword, line, rest }: Instruction,
): number {
  const [inner = ''] = rest.split(/[\t\v\f\r ]/, 1);
  const opens = keyword === 'ONBUILD' ? inner.toUpperCase() : keyword;
  if (!HEREDOCS.has(opens)) return from;
  const behind = keyword === 'ONBUILD' ? rest.slice(inner.length) : rest;
  if (isJsonList(behind)) return from;
  const heredocs = readHeredocs(text, line);
  // BuildKit before 0.15 took what begins with a list for a list, whatever came behind it.
  if (heredocs.length > 0 && /^\s*\[\s*["\]]/.test(behind)) {
    throw unreadable(line, 'a here-document without a list before it', behind);
  }
  let at = from;
  for (const { name, chomps } of heredocs) {
    const end = lines.findIndex(
      (candidate, index) =>
        index >= at && (chomps ? candidate.replace(/^\t+/, '') : candidate) === name,
    );
    if (end === -1) throw unreadable(line, `the end of the here-document ${name}`, 'none');
    at = end + 1;
  }
  return at;
}

/** In the form of a list an instruction opens no here-document. */
function isJsonList(rest: string): boolean {
  try {
    return Array.isArray(JSON.parse(rest));
  } catch {
    return false;
  }
}
