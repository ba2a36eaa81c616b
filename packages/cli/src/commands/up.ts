import type { Command } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import type { CliContext } from '../context.ts';
import { outputOption } from '../options/output.ts';
import { repeatableOptions } from '../options/repeatable.ts';
import { consoleFolders } from '../server/console-folders.ts';
import { runServer } from '../server/run.ts';
import { welcome } from '../server/welcome.ts';

interface UpFlags {
  readonly data: string;
  readonly listen: readonly string[];
  readonly policy: readonly string[];
  readonly environment?: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly output: 'text' | 'json';
}

/** `bulla up`: everything in one process, on one folder. */
export function configure(command: Command, context: CliContext): void {
  const repeatable = repeatableOptions(command);
  command
    .option('--data <folder>', 'where everything is kept; made when it is missing', './bulla-data')
    .addOption(
      repeatable(
        '--listen <url>',
        'address to listen on (repeatable)',
        'http://127.0.0.1:5000 and https://127.0.0.1:5443',
      ),
    )
    .addOption(
      repeatable('--policy <path>', 'file or folder of policies (repeatable)', 'DATA/policies'),
    )
    .option('--environment <name>', 'where this is: policies may be limited to environments')
    .addOption(
      command
        .createOption('--log-level <level>', 'what is logged on standard error')
        .choices(['debug', 'info', 'warn', 'error', 'silent'])
        .default('warn'),
    )
    .addOption(outputOption(command))
    .action(async (flags: UpFlags) => {
      const { prepareUp, STARTER_POLICY } = await import('@bulla/server/up');
      const { config, starter } = await prepareUp({
        data: flags.data,
        listen: flags.listen,
        policies: flags.policy,
        environment: flags.environment ?? null,
      });
      await runServer(
        { ...config, log: { level: flags.logLevel } },
        {
          version: manifest.version,
          consoleFolders: consoleFolders(),
          starterPolicy: STARTER_POLICY,
        },
        context,
        (server) =>
          welcome(server, { starter, output: flags.output, origin: config.origin }, context),
      );
    });
}
