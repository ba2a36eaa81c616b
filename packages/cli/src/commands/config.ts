import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { outputOption } from '../options/output.ts';
import { jsonText } from '../output/json.ts';

/** `bulla config check|init`: the file of `bulla serve`. */
export function configure(command: Command, context: CliContext): void {
  command
    .command('check')
    .description('list every mistake of a bulla.yaml, and the files that it names and lacks')
    .argument('[file]', 'the configuration', 'bulla.yaml')
    .addOption(outputOption(command))
    .action(async (file: string, flags: { readonly output: 'text' | 'json' }) => {
      const [{ configCheck, missingLine }, { problemLine }] = await Promise.all([
        import('@bulla/server/config/check'),
        import('@bulla/trust/bytes/yaml/problem'),
      ]);
      const checked = await configCheck(file, context.env);
      if (!checked.valid) context.exit.note(2);
      if (flags.output === 'json') return context.out(jsonText(checked));
      for (const problem of checked.problems) context.out(problemLine(problem));
      for (const missing of checked.missing) context.out(missingLine(missing));
      if (checked.valid) context.out(`ok: ${file}`);
    });
  command
    .command('init')
    .description('print a commented bulla.yaml that works as it is')
    .action(async () => {
      const { INITIAL_CONFIG } = await import('../server/initial-config.ts');
      context.out(INITIAL_CONFIG.trimEnd());
    });
}
