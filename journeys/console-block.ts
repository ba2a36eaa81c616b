import type { Run, Stage } from './stage.ts';

/** One command of a document, and what the document says that it prints. */
export interface Step {
  readonly command: string;
  readonly shown: readonly string[];
}

/** The ```console blocks of a document that carry one journey's name, in order. */
export interface ConsoleJourney {
  readonly name: string;
  readonly blocks: readonly {
    /** The exit code that the last command of the block must have; the others end with 0. */
    readonly exit: number;
    /** Whether the lines of a screen may come in any order, as siblings of a tree do. */
    readonly anyOrder: boolean;
    readonly steps: readonly Step[];
  }[];
}

const BLOCK =
  /<!-- journey: (?<name>[a-z0-9-]+)(?:, exit (?<exit>\d))?(?<anyOrder>, any order)? -->\n```console\n(?<body>[\s\S]*?)```/g;

/**
 * The journeys of a Markdown document. A block takes part when the line before its fence is
 * `<!-- journey: NAME -->`; in it `, exit N` says that the last command does not end with 0, and
 * `, any order` that the lines of its screens may change places. In the block, lines that begin with `$ ` are commands (`> ` continues one), the others are
 * what the command prints.
 */
export function consoleJourneys(markdown: string): readonly ConsoleJourney[] {
  const journeys = new Map<string, ConsoleJourney['blocks'][number][]>();
  for (const { groups } of markdown.matchAll(BLOCK)) {
    const { name = '', exit = '0', anyOrder, body = '' } = groups ?? {};
    const block = {
      exit: Number(exit),
      anyOrder: anyOrder !== undefined,
      steps: stepsOf(body),
    };
    journeys.set(name, [...(journeys.get(name) ?? []), block]);
  }
  return [...journeys].map(([name, blocks]) => ({ name, blocks }));
}

function stepsOf(body: string): readonly Step[] {
  const steps: { command: string; shown: string[] }[] = [];
  for (const line of body.trimEnd().split('\n')) {
    const step = steps.at(-1);
    if (line.startsWith('$ ')) steps.push({ command: line.slice(2), shown: [] });
    else if (step === undefined) throw new Error(`output before the first command: ${line}`);
    else if (line.startsWith('> ')) step.command += `\n${line.slice(2)}`;
    else step.shown.push(line);
  }
  return steps;
}

/** Runs a command of a document in a shell, its two streams mixed as on a terminal. */
export function typeCommand(stage: Stage, command: string): Promise<Run> {
  return stage.run('bash', ['-c', `exec 2>&1\n${command}`]);
}

/**
 * Null when a screen of a document is what was printed, else the two first lines that differ. All
 * digests and key ids are equal; `…` in a shown line stands for anything, and a shown line that is
 * only `…` for any number of lines (unless they come in any order).
 */
export function screenDifference(
  shown: readonly string[],
  printed: string,
  anyOrder = false,
): string | null {
  const lines = printed.trimEnd() === '' ? [] : printed.trimEnd().split('\n');
  return differenceFrom(anyOrder ? inOrderOf(lines, shown) : shown, lines);
}

/** The shown lines in the places of the printed ones that they fit; the others stay at the end. */
function inOrderOf(lines: readonly string[], shown: readonly string[]): readonly string[] {
  const left = [...shown];
  const placed = lines.flatMap((line) => {
    const at = left.findIndex((text) => fits(branch(text), branch(line)));
    // The last sibling is drawn with another branch, whichever it is.
    return at < 0 ? [] : left.splice(at, 1).map((text) => text.replace(/[├└]/, line[0] ?? ''));
  });
  return [...placed, ...left];
}

function branch(line: string): string {
  return line.replace('└', '├');
}

function differenceFrom(shown: readonly string[], lines: readonly string[]): string | null {
  const [first, ...rest] = shown;
  if (first === undefined) {
    return lines.length === 0 ? null : `printed, but not shown: ${lines[0]}`;
  }
  if (first.trim() === '…') {
    const end = lines.findIndex((_, at) => differenceFrom(rest, lines.slice(at)) === null);
    return end >= 0 || rest.length === 0 ? null : differenceFrom(rest, lines.slice(-rest.length));
  }
  const [line] = lines;
  if (line === undefined) return `shown, but not printed: ${first}`;
  if (!fits(first, line)) return `shown:   ${first}\nprinted: ${line}`;
  return differenceFrom(rest, lines.slice(1));
}

function anonymous(line: string): string {
  return line.replaceAll(/[0-9a-f]{12,}/g, 'HEX').trimEnd();
}

/** Whether a printed line is the shown one, with anything in the places of `…`. */
function fits(shown: string, line: string): boolean {
  // A digest may be shown by its beginning.
  const whole = shown.replaceAll(/[0-9a-f]{4,}…/g, 'HEX…');
  const [first = '', ...others] = anonymous(whole).split('…');
  const last = others.pop();
  const printed = anonymous(line);
  if (last === undefined) return printed === first;
  if (!printed.startsWith(first)) return false;
  let at = first.length;
  for (const part of others) {
    const found = printed.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return printed.length - last.length >= at && printed.endsWith(last);
}
