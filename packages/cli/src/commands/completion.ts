import { Argument, type Command } from 'commander';
import type { CliContext } from '../context.ts';
import { completionScript, SHELLS, type Shell } from '../output/completion.ts';
import type { CommandEntry } from './command-module.ts';

const WHERE = `
bash: bulla completion bash > ~/.local/share/bash-completion/completions/bulla
zsh:  bulla completion zsh > "$HOME/.zfunc/_bulla"    (a folder of fpath)
fish: bulla completion fish > ~/.config/fish/completions/bulla.fish`;

/** `bulla completion bash|zsh|fish`: a static script, made from the commands themselves. */
export function configure(
  command: Command,
  context: CliContext,
  commands: readonly CommandEntry[],
): void {
  command
    .addArgument(new Argument('<shell>', 'the shell that reads the script').choices(SHELLS))
    .addHelpText('after', WHERE)
    .action(async (shell: Shell) => {
      const { Command: Program } = await import('commander');
      const program = new Program('bulla').option('-V, --version', 'output the version number');
      for (const entry of commands) {
        const each = program.command(entry.name).description(entry.summary);
        (await entry.load()).configure(each, context);
      }
      context.out(completionScript(shell, program).trimEnd());
    });
}
