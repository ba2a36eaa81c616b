import type { ServerConfig } from '@bulla/server/config/config';
import { problemLine } from '@bulla/trust/bytes/yaml/problem';
import { codeEntry } from '@bulla/trust/fault/codes';
import { printable, quote, TrustFault } from '@bulla/trust/fault/fault';
import type { Command } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import type { CliContext } from '../context.ts';
import { outputOption } from '../options/output.ts';
import { consoleFolders } from '../server/console-folders.ts';
import { runServer } from '../server/run.ts';
import { welcome } from '../server/welcome.ts';

interface ServeFlags {
  readonly config: string;
  readonly only?: string;
  readonly output: 'text' | 'json';
}

/** `bulla serve --config bulla.yaml`: what the file says, until SIGTERM. */
export function configure(command: Command, context: CliContext): void {
  command
    .requiredOption('--config <file>', 'the bulla.yaml; `bulla config init` prints one')
    .option(
      '--only <services>',
      'run some services alone: gateway, api, console, admission (with commas)',
    )
    .addOption(outputOption(command))
    .action(async (flags: ServeFlags) => {
      const config = await configOf(flags.config, context);
      if (config === null) return;
      const only = await servicesOf(flags.only);
      await runServer(
        { ...config, only: only ?? config.only },
        { version: manifest.version, consoleFolders: consoleFolders(), starterPolicy: null },
        context,
        (server) =>
          welcome(server, { starter: null, output: flags.output, origin: config.origin }, context),
        // What the file says now holds after a restart; whoever changed it learns of mistakes now.
        async (log) => {
          const { configCheck } = await import('@bulla/server/config/check');
          const { problems, config: next } = await configCheck(flags.config, context.env);
          for (const problem of problems) log.error(problemLine(problem));
          if (next === null || JSON.stringify(next) === JSON.stringify(config)) return;
          log.warn('the configuration has changed; what changed holds after a restart', {
            file: flags.config,
          });
        },
      );
    });
}

/** The configuration; null when it has mistakes, which were then printed, each as one line. */
async function configOf(file: string, context: CliContext): Promise<ServerConfig | null> {
  const [{ readConfigFile }, { parseConfig }] = await Promise.all([
    import('@bulla/server/config/load'),
    import('@bulla/server/config/parse'),
  ]);
  const { config, problems } = parseConfig(await readConfigFile(file), file, context.env);
  for (const problem of problems) {
    context.err(problemLine(problem));
    context.err(`remedy: ${printable(problem.remedy)}`);
    if (config === null) context.exit.note(codeEntry(problem.code).exit);
  }
  return config;
}

async function servicesOf(text: string | undefined): Promise<ServerConfig['only'] | null> {
  if (text === undefined) return null;
  const { SERVICES } = await import('@bulla/server/config/config');
  const names = text.split(',').map((name) => name.trim());
  return names.map((name) => {
    const service = SERVICES.find((one) => one === name);
    if (service !== undefined) return service;
    throw new TrustFault(
      'usage.invalid',
      `expected services out of ${SERVICES.join(', ')} at --only, found ${quote(name)}`,
    );
  });
}
