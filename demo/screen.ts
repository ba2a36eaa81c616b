import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// What the demonstration shows is what a person would type; only `bulla` stands for the sources.
const CLI = fileURLToPath(new URL('../packages/cli/src/main.ts', import.meta.url));

/** `bulla` as this clone has it: Node, and its arguments before those of the command. */
export const BULLA: readonly [string, ...string[]] = [
  process.execPath,
  '--conditions=@bulla/source',
  CLI,
];

/** One command of the demonstration, and what it has to do. */
export interface Step {
  readonly title: string;
  readonly program: string;
  readonly args: readonly string[];
  /** A file of the folder that it reads from its standard input. */
  readonly input?: string;
  /** Whether it must end with exit 0. */
  readonly succeeds: boolean;
  /** What its output must say. */
  readonly says: string;
  /** Lines of the output that matter; by default all are shown. */
  readonly shows?: (line: string) => boolean;
}

/** Where the demonstration plays, and whether each step did what it should. */
export interface Screen {
  readonly folder: string;
  /** Shows a step and gives its output. */
  readonly perform: (step: Step) => Promise<string>;
  /** A step that is done without a command. */
  readonly tell: (title: string, ...lines: readonly string[]) => void;
  readonly isRight: () => boolean;
}

/** A screen on a folder of its own: no credentials and no storage of the user's are touched. */
export function openScreen(folder: string): Screen {
  let right = true;
  const tell: Screen['tell'] = (title, ...lines) => {
    console.log(`\n# ${title}`);
    for (const line of lines) console.log(line);
  };
  return {
    folder,
    tell,
    async perform(step) {
      const typed = [step.program, ...step.args].join(' ').replaceAll(`${folder}/`, '');
      tell(step.title, `$ ${typed}${step.input === undefined ? '' : ` < ${step.input}`}`);
      const { code, output } = await run(step, folder);
      for (const line of output.trimEnd().split('\n')) {
        if (step.shows?.(line) !== false) console.log(line);
      }
      const isAsSaid = (code === 0) === step.succeeds && output.includes(step.says);
      if (!isAsSaid) {
        const wanted = step.succeeds ? 'success' : 'a refusal';
        console.log(`!! expected ${wanted} and ${JSON.stringify(step.says)}, found exit ${code}`);
      }
      right &&= isAsSaid;
      return output;
    },
    isRight: () => right,
  };
}

/** The environment of what is run: the folder is home to all of it. */
export function environmentOf(folder: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    HOME: folder,
    DOCKER_CONFIG: folder,
    REGISTRY_AUTH_FILE: `${folder}/auth.json`,
    NO_COLOR: '1',
  };
}

async function run(
  { program, args, input }: Step,
  folder: string,
): Promise<{ readonly code: number; readonly output: string }> {
  const [first, ...rest] = program === 'bulla' ? BULLA : [program];
  const given = input === undefined ? '' : await readFile(join(folder, input), 'utf8');
  return new Promise((resolve, reject) => {
    const child = spawn(first, [...rest, ...args], {
      cwd: folder,
      env: environmentOf(folder),
      stdio: 'pipe',
    });
    child.stdin.end(given);
    let output = '';
    const keep = (chunk: Buffer) => {
      output += chunk.toString('utf8');
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? 4, output }));
  });
}
