import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** The root of the repository. */
export const ROOT = join(import.meta.dirname, '..');

/** The folder of the programs that `npm ci` links, `bulla` and its Node among them. */
const BIN = join(ROOT, 'node_modules', '.bin');

/** The passphrase of every key that a journey makes. */
export const PASSPHRASE = 'a secret of the journeys';

const TIMEOUT_MS = 60_000;

/** What one run of a program came to. */
export interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  /** Both streams in the order in which they came, as a terminal shows them. */
  readonly all: string;
}

/** Environment variables of one run, beside those of the stage. */
export type Environment = Readonly<Record<string, string>>;

/**
 * Where a journey plays: an empty folder that is home and working folder of everything that runs,
 * with `bulla` on the PATH as a user has it. No credentials and no settings of the machine reach it.
 */
export interface Stage extends AsyncDisposable {
  readonly folder: string;
  /** The path of a file in the folder. */
  readonly path: (name: string) => string;
  /** Writes a file and gives its path. */
  readonly write: (name: string, content: string | Uint8Array) => Promise<string>;
  /** Runs a program to its end, at most a minute. */
  readonly run: (program: string, args: readonly string[], env?: Environment) => Promise<Run>;
  /** Runs the built `bulla`. */
  readonly bulla: (args: readonly string[], env?: Environment) => Promise<Run>;
  /** Runs the built `bulla`, which must end with exit 0; gives its answer. */
  readonly succeeds: (args: readonly string[], env?: Environment) => Promise<string>;
  /** Runs the built `bulla`, which must end with this exit code; gives all that it said. */
  readonly ends: (code: number, args: readonly string[], env?: Environment) => Promise<string>;
}

/** Sets an empty stage. The command must have been built (`npm test` does it before the tests). */
export async function openStage(): Promise<Stage> {
  assert.ok(
    existsSync(join(ROOT, 'packages/cli/dist/main.js')),
    'the command is not built: run `npm run build` before the journeys',
  );
  const folder = await mkdtemp(join(tmpdir(), 'bulla-journey-'));
  const path = (name: string) => join(folder, name);
  const run: Stage['run'] = (program, args, env = {}) => runIn(folder, program, args, env);
  const bulla: Stage['bulla'] = (args, env = {}) => run('bulla', args, env);
  const ends: Stage['ends'] = async (code, args, env = {}) => {
    const { code: found, all } = await bulla(args, env);
    assert.equal(found, code, `bulla ${args.join(' ')}\n${all}`);
    return all;
  };
  const succeeds: Stage['succeeds'] = async (args, env = {}) => {
    const { code, out, all } = await bulla(args, env);
    assert.equal(code, 0, `bulla ${args.join(' ')}\n${all}`);
    return out;
  };
  const write: Stage['write'] = async (name, content) => {
    await mkdir(dirname(path(name)), { recursive: true });
    await writeFile(path(name), content);
    return path(name);
  };
  const remove = () => rm(folder, { recursive: true, force: true });
  return { folder, path, write, run, bulla, succeeds, ends, [Symbol.asyncDispose]: remove };
}

/** Runs a peer's program on the stage, which must end with exit 0; gives its output. */
export async function peerSucceeds(
  stage: Stage,
  program: string,
  args: readonly string[],
  env: Environment = {},
): Promise<string> {
  const { code, out, all } = await stage.run(program, args, env);
  assert.equal(code, 0, `${program} ${args.join(' ')}\n${all}`);
  return out;
}

/**
 * Makes a key pair and gives the paths of its halves. Unencrypted unless the passphrase of the
 * stage is part of what is played: each use of an encrypted key derives for a tenth of a second.
 */
export async function makeKey(
  stage: Stage,
  name: string,
  options: { readonly type?: string; readonly encrypted?: true } = {},
): Promise<{ readonly key: string; readonly pub: string }> {
  const prefix = stage.path(name);
  const type = options.type === undefined ? [] : ['--type', options.type];
  const plain = options.encrypted === true ? [] : ['--plain'];
  await stage.succeeds(['key', 'generate', ...type, ...plain, '--output-key-prefix', prefix]);
  return { key: `${prefix}.key`, pub: `${prefix}.pub` };
}

function runIn(
  folder: string,
  program: string,
  args: readonly string[],
  env: Environment,
): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: folder,
      timeout: TIMEOUT_MS,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: `${BIN}:${process.env['PATH'] ?? ''}`,
        HOME: folder,
        BULLA_PASSPHRASE: PASSPHRASE,
        COSIGN_PASSWORD: PASSPHRASE,
        ...env,
      },
    });
    let out = '';
    let err = '';
    let all = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      all += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
      all += chunk.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, out, err, all }));
  });
}
