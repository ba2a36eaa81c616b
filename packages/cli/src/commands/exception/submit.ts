import { printable } from '@bulla/trust/fault/fault';
import type { Command } from 'commander';
import type { CliContext } from '../../context.ts';
import { readException } from '../../options/exceptions.ts';
import { jsonText } from '../../output/json.ts';
import { handedIn, parseOne, stateLine } from '../../server/exceptions.ts';
import { addServerCommand, openServer, type ServerFlags } from '../../server/running.ts';

/** `bulla exception submit FILE`: hands a request, or an approved exception, to a server. */
export function configureSubmit(exception: Command, context: CliContext): void {
  addServerCommand(
    exception,
    'submit',
    'hand a request, or its approval, to a server; an approved one holds at every door of it',
  )
    .argument('<file>', 'what `request` or `approve` wrote; - reads it')
    .action(async (file: string, flags: ServerFlags) => {
      const document = await readException(file, context);
      await using api = await openServer(flags, context);
      const body = await handedIn(document);
      const answered = await api.json({ method: 'POST', path: ['exceptions'], body });
      if (flags.output === 'json') return context.out(jsonText(answered));
      context.out(printable(stateLine(parseOne(answered))));
    });
}
