import { homedir } from 'node:os';
import type { Command } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { COMMANDS } from './commands/list.ts';
import { type CliContext, exitTally } from './context.ts';

/** The context of this process. */
function processContext(): CliContext {
  const abort = new AbortController();
  process.once('SIGINT', () => abort.abort());
  process.once('SIGTERM', () => abort.abort());
  const write = (stream: NodeJS.WriteStream) => (line: string) => {
    stream.write(`${line}\n`);
  };
  return {
    env: process.env,
    homeFolder: homedir(),
    out: write(process.stdout),
    err: write(process.stderr),
    terminal: {
      out: process.stdout.isTTY === true,
      err: process.stderr.isTTY === true,
      in: process.stdin.isTTY === true,
    },
    clock: () => new Date(),
    now: () => performance.now(),
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
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.out(text.trimEnd()),
      writeErr: (text) => context.err(text.trimEnd()),
    });
  for (const entry of COMMANDS) {
    const command = program.command(entry.name).summary(entry.summary).description(entry.summary);
    command.copyInheritedSettings(program);
    if (entry.name === called) (await entry.load()).configure(command, context);
  }
  return program;
}

async function main(): Promise<void> {
  const context = processContext();
  const [called, topic] = process.argv.slice(2);
  try {
    if (called === '--version' || called === '-V') {
      context.out(manifest.version);
      return;
    }
    const program = await build(context, called === 'help' ? topic : called);
    await program.parseAsync();
  } catch (error) {
    const { report } = await import('./output/fault.ts');
    report(error, context);
  }
  process.exitCode = context.exit.worst();
}

await main();
