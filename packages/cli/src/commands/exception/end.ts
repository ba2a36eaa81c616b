import { printable } from '@bulla/trust/fault/fault';
import type { Command } from 'commander';
import type { CliContext } from '../../context.ts';
import { jsonText } from '../../output/json.ts';
import { findException, parseOne, stateLine } from '../../server/exceptions.ts';
import { addServerCommand, openServer, type ServerFlags } from '../../server/running.ts';

/** `bulla exception revoke ID`: ends an exception on every door of a server, at once. */
export function configureRevoke(exception: Command, context: CliContext): void {
  addServerCommand(
    exception,
    'revoke',
    'end an exception or break-glass, or withdraw a request: at once, at every door of the server',
  )
    .argument('<exception>', 'its name, or the beginning of its id')
    .requiredOption('--reason <text>', 'why')
    .action((text: string, flags: ServerFlags & { readonly reason: string }) =>
      change(text, 'revocation', { reason: flags.reason }, flags, context),
    );
}

/** `bulla exception review ID`: closes the review of a use of break-glass. */
export function configureReview(exception: Command, context: CliContext): void {
  addServerCommand(
    exception,
    'review',
    'close the review of a use of break-glass; not by who used it',
  )
    .argument('<exception>', 'its name, or the beginning of its id')
    .requiredOption('--found <text>', 'what the review found')
    .action((text: string, flags: ServerFlags & { readonly found: string }) =>
      change(text, 'review', { found: flags.found }, flags, context),
    );
}

async function change(
  text: string,
  what: 'revocation' | 'review',
  body: object,
  flags: ServerFlags,
  context: CliContext,
): Promise<void> {
  await using api = await openServer(flags, context);
  const id = await findException(api, text);
  const answered = await api.json({ method: 'POST', path: ['exceptions', id, what], body });
  if (flags.output === 'json') return context.out(jsonText(answered));
  const one = parseOne(answered);
  const review = what === 'review' ? `; its review is ${one.review}` : '';
  context.out(printable(`${stateLine(one)}${review}`));
}
