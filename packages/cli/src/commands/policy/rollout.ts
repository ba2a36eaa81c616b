import type { Command } from 'commander';
import type { CliContext } from '../../context.ts';
import { spanMs } from '../../options/instant.ts';
import { collect } from '../../options/repeatable.ts';
import { jsonText } from '../../output/json.ts';
import { printRollout, printRollouts } from '../../output/rollout.ts';
import type { Api } from '../../server/api.ts';
import { parseRollout, parseRolloutStatus, parseRollouts } from '../../server/rollouts.ts';
import { addServerCommand, openServer, type ServerFlags } from '../../server/running.ts';

/** `bulla policy rollout start|status|cut-over|back`: from warning to refusing, as recorded steps. */
export function configureRollout(policy: Command, context: CliContext): void {
  const rollout = policy
    .command('rollout')
    .description('take a policy of a running server from warning to refusing, by recorded steps');
  configureStart(rollout, context);
  configureStatus(rollout, context);
  configureCutOver(rollout, context);
  configureBack(rollout, context);
}

interface StartFlags extends ServerFlags {
  readonly owner: string;
  readonly window: string;
}

function configureStart(rollout: Command, context: CliContext): void {
  addServerCommand(rollout, 'start <policy>', 'open an observation window for a policy that warns')
    .requiredOption('--owner <who>', 'who answers for the rollout')
    .option('--window <time>', 'how long it is observed', '7d')
    .action(async (policy: string, flags: StartFlags) => {
      const windowMs = spanMs(flags.window, '--window');
      const body = { policy, owner: flags.owner, windowMs };
      await using api = await openServer(flags, context);
      const document = await api.json({ method: 'POST', path: ['rollouts'], body });
      if (flags.output === 'json') return context.out(jsonText(document));
      const { endsAt, owner } = parseRollout(document);
      context.out(`${policy} is observed until ${endsAt}; ${owner} answers for it`);
    });
}

function configureStatus(rollout: Command, context: CliContext): void {
  addServerCommand(
    rollout,
    'status [policy]',
    'show what a policy would have denied, or all rollouts',
  )
    // A policy of many images that nobody signed takes a while to look through.
    .action(async (policy: string | undefined, flags: ServerFlags) => {
      await using api = await openServer(flags, context);
      const document = await api.json({
        method: 'GET',
        path: policy === undefined ? ['rollouts'] : ['rollouts', policy],
        timeoutMs: STATUS_MS,
      });
      const { output } = flags;
      if (policy !== undefined) {
        return printRollout(parseRolloutStatus(document), { output, document }, context);
      }
      if (output === 'json') return context.out(jsonText(document));
      printRollouts(parseRollouts(document), context);
    });
}

const STATUS_MS = 120_000;

interface CutOverFlags extends ServerFlags {
  readonly accept: readonly string[];
  readonly reason?: string;
  readonly quiet: string;
}

function configureCutOver(rollout: Command, context: CliContext): void {
  const command = addServerCommand(
    rollout,
    'cut-over <policy>',
    'have the policy refuse from now on, whatever its file says',
  );
  command
    .addOption(
      command
        .createOption('--accept <image>', 'REPOSITORY[@DIGEST] that may be denied (repeatable)')
        .argParser(collect)
        .default([], 'none'),
    )
    .option('--reason <text>', 'why what is accepted may be denied')
    .option('--quiet <time>', 'what would have been denied since then stands in the way', '24h')
    .action(async (policy: string, flags: CutOverFlags) => {
      const { accept, reason } = flags;
      const body = {
        accept,
        quietMs: spanMs(flags.quiet, '--quiet'),
        ...(reason === undefined ? {} : { reason }),
      };
      await using api = await openServer(flags, context);
      const document = await changed(api, policy, 'cut-over', body);
      if (flags.output === 'json') return context.out(jsonText(document));
      const { cutOver } = parseRollout(document);
      context.out(
        `${policy} is enforced since ${cutOver?.at ?? ''}, recorded as ${cutOver?.act ?? ''}`,
      );
      context.out('set mode: enforce in its file, so that the file says what holds');
    });
}

interface BackFlags extends ServerFlags {
  readonly reason: string;
}

function configureBack(rollout: Command, context: CliContext): void {
  addServerCommand(
    rollout,
    'back <policy>',
    'end a rollout: the mode of the policy’s file holds again',
  )
    .requiredOption('--reason <text>', 'why; it is recorded')
    .action(async (policy: string, flags: BackFlags) => {
      await using api = await openServer(flags, context);
      await changed(api, policy, 'back', { reason: flags.reason });
      if (flags.output === 'json') return context.out(jsonText({ policy }));
      context.out(`${policy} is rolled out no more; its file says again what it does`);
    });
}

function changed(api: Api, policy: string, step: string, body: object): Promise<unknown> {
  const path = ['rollouts', policy, step];
  return api.json({ method: 'POST', path, body, timeoutMs: STATUS_MS });
}
