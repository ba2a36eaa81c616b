import { fstatSync, writeSync } from 'node:fs';
import { homedir } from 'node:os';
import { isatty } from 'node:tty';
import type { Command } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { COMMANDS } from './commands/list.ts';
import { type CliContext, exitTally } from './context.ts';

/** Whether output was left to Node's streams, which may hold some when the work is done. */
let streamed = false;

/**
 * Writes a line without Node's stream, whose loading would cost as much as a verification. A pipe
 * that does not block and is full (EAGAIN) is left to the stream, which waits.
 */
function lineWriter(fd: 1 | 2): (line: string) => void {
  return (line) => {
    const bytes = Buffer.from(`${line}\n`);
    let written = 0;
    try {
      while (!streamed && written < bytes.length) written += writeSync(fd, bytes, written);
    } catch (error) {
      if (!isErrno(error)) throw error;
      // Whoever read our output is gone: what is left to say has no reader. A log that cannot be
      // written is nobody's verdict; an answer that cannot is a failure, which the log can tell.
      if (error.code === 'EPIPE' || (fd === 2 && error.code !== 'EAGAIN')) return;
      if (error.code !== 'EAGAIN') throw error;
      streamed = true;
    }
    if (!streamed) return;
    (fd === 1 ? process.stdout : process.stderr).write(bytes.subarray(written));
  };
}

function isErrno(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error;
}

function isTerminal(fd: 0 | 1 | 2): boolean {
  try {
    return fstatSync(fd).isCharacterDevice() && isatty(fd);
  } catch {
    return false;
  }
}

/** The context of this process. */
function processContext(): CliContext {
  const abort = new AbortController();
  process.once('SIGINT', () => abort.abort());
  process.once('SIGTERM', () => abort.abort());
  return {
    env: process.env,
    homeFolder: homedir(),
    out: lineWriter(1),
    err: lineWriter(2),
    terminal: {
      get in() {
        return isTerminal(0);
      },
      get out() {
        return isTerminal(1);
      },
      get err() {
        return isTerminal(2);
      },
    },
    clock: () => new Date(),
    // Not performance.now(), whose module a run would load for this alone.
    now: () => Number(process.hrtime.bigint()) / 1e6,
    signal: abort.signal,
    exit: exitTally(),
  };
}

/** Only the command that was called is loaded: start-up is a feature. */
async function build(context: CliContext, called: string | undefined): Promise<Command> {
  const { Command: Program } = await import('commander');
  const program = new Program('bulla')
    .description('Sign and verify container images, attestations and any OCI artifact')
    .version(manifest.version)
    .showSuggestionAfterError()
    .showHelpAfterError('remedy: Add --help to the command to see what it takes.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.out(text.trimEnd()),
      writeErr: (text) => context.err(text.trimEnd()),
    });
  const one = COMMANDS.filter(({ name }) => name === called);
  for (const entry of one.length === 1 ? one : COMMANDS) {
    const command = program.command(entry.name).summary(entry.summary).description(entry.summary);
    command.copyInheritedSettings(program);
    if (entry.name === called) (await entry.load()).configure(command, context);
  }
  return program;
}

async function main(): Promise<void> {
  const context = processContext();
  const [called, topic] = process.argv.slice(2);
  // Until all is said: work that nothing keeps awake any more ends the process, and not as a pass.
  process.exitCode = 4;
  try {
    if (called === '--version' || called === '-V') {
      context.out(manifest.version);
      process.exitCode = 0;
      return;
    }
    const program = await build(context, called === 'help' ? topic : called);
    await program.parseAsync();
  } catch (error) {
    const { report } = await import('./output/fault.ts');
    report(error, context);
  }
  process.exitCode = context.exit.worst();
  // All is said: taking connections and heap down in order would only take time.
  if (!streamed) process.exit();
}

// Not awaited at the top: the built form, which starts sooner, has no such thing.
main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 4;
});
