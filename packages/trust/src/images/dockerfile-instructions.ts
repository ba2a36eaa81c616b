import { TrustFault } from '../fault/fault.ts';

/** One instruction, its continued lines joined. */
export interface Instruction {
  readonly line: number;
  /** In upper case. `ONBUILD` is left off: what it holds runs in another build. */
  readonly keyword: string;
  /** The words that begin with `--`, before the first that does not. */
  readonly flags: readonly string[];
  readonly words: readonly string[];
}

/** The instructions of a Dockerfile, and the frontend that its first lines ask for. */
export interface Dockerfile {
  readonly instructions: readonly Instruction[];
  readonly syntax: { readonly image: string; readonly line: number } | null;
}

const MAX_BYTES = 1 << 20;
const DIRECTIVE = /^#\s*([a-z]+)\s*=\s*(\S+)\s*$/i;
const HEREDOC = /<<-?\s*(["']?)([A-Za-z_][A-Za-z0-9_]*)\1/g;

/**
 * Reads a Dockerfile into instructions (Dockerfile reference, "Format", "Parser directives",
 * "Here-Documents"). Throws `images.dockerfile-malformed` for one over 1 MiB and for a
 * here-document without an end.
 */
export function readInstructions(text: string): Dockerfile {
  if (text.length > MAX_BYTES) {
    throw new TrustFault('images.dockerfile-malformed', 'expected at most 1 MiB of Dockerfile');
  }
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
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

function readDirectives(lines: readonly string[]): {
  readonly continuation: string;
  readonly syntax: Dockerfile['syntax'];
} {
  let continuation = '\\';
  let syntax: Dockerfile['syntax'] = null;
  for (const [index, line] of lines.entries()) {
    const [, name = '', value = ''] = DIRECTIVE.exec(line) ?? [];
    if (name === '') break;
    if (name.toLowerCase() === 'escape') continuation = value;
    if (name.toLowerCase() === 'syntax') syntax ??= { image: value, line: index + 1 };
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
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) {
      if (joined === '') return { joined, next: at + 1 };
      continue;
    }
    const body = line.trimEnd();
    if (!body.endsWith(continuation)) return { joined: (joined + line).trim(), next: at + 1 };
    joined += body.slice(0, -continuation.length);
  }
  return { joined: joined.trim(), next: lines.length };
}

function parseInstruction(text: string, line: number): Instruction {
  const [first = '', ...rest] = text.split(/\s+/);
  const keyword = first.toUpperCase();
  const end = rest.findIndex((word) => !word.startsWith('--'));
  const flags = end === -1 ? rest : rest.slice(0, end);
  return { line, keyword, flags, words: rest };
}

/** The line after the here-documents that an instruction opens. */
function skipHeredocs(
  lines: readonly string[],
  from: number,
  text: string,
  { keyword, line }: Instruction,
): number {
  if (keyword !== 'RUN' && keyword !== 'COPY' && keyword !== 'ADD') return from;
  let at = from;
  for (const [, , word = ''] of text.matchAll(HEREDOC)) {
    const end = lines.findIndex((candidate, index) => index >= at && candidate.trim() === word);
    if (end === -1) {
      throw new TrustFault(
        'images.dockerfile-malformed',
        `expected the end ${word} of the here-document of line ${line}, found the end of the file`,
      );
    }
    at = end + 1;
  }
  return at;
}
