import { formatPolicies } from '@bulla/trust/policy/format';
import type { Command } from 'commander';
import type { CliContext } from '../../context.ts';
import { readFileBounded, writeOutput } from '../../options/files.ts';
import { decodeText } from './text.ts';

const MAX_POLICY_BYTES = 1 << 20;

/** `bulla policy fmt FILE…`: writes each file in its one form, or says which are not. */
export function configureFmt(policy: Command, context: CliContext): void {
  policy
    .command('fmt')
    .description('put policy files into their one form; comments stay, and what they say too')
    .argument('<file...>', 'files, each written back when it changes; - reads and prints')
    .option('--check', 'write nothing, name the files that are not formatted, and exit with 1')
    .action(async (files: readonly string[], flags: { readonly check?: true }) => {
      // All are formatted before the first is written: a mistake in one leaves every file as it is.
      const formatted: {
        readonly file: string;
        readonly before: string;
        readonly after: string;
      }[] = [];
      for (const file of files) {
        const before = decodeText(
          await readFileBounded(file, MAX_POLICY_BYTES, context.signal),
          file,
        );
        formatted.push({ file, before, after: formatPolicies(before, file) });
      }
      for (const { file, before, after } of formatted) {
        if (flags.check === true) {
          if (before === after) continue;
          context.out(file);
          context.exit.note(1);
        } else if (file === '-') {
          context.out(after.replace(/\n$/, ''));
        } else if (before !== after) {
          await writeOutput(file, after);
          context.out(file);
        }
      }
    });
}
