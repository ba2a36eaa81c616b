import { printable } from '@bulla/trust/fault/fault';
import type { Command } from 'commander';
import type { CliContext } from '../../context.ts';
import { writeOutput } from '../../options/files.ts';
import { jsonText } from '../../output/json.ts';
import { findException, signedDocument } from '../../server/exceptions.ts';
import { addServerCommand, openServer, type ServerFlags } from '../../server/running.ts';

interface FetchFlags extends ServerFlags {
  readonly write: string;
}

/** `bulla exception fetch ID`: the signed document of a server, so that somebody can approve it. */
export function configureFetch(exception: Command, context: CliContext): void {
  addServerCommand(
    exception,
    'fetch',
    'write the signed document of a server’s exception to a file, to be read and approved',
  )
    .argument('<exception>', 'its name, or the beginning of its id')
    .requiredOption('--write <file>', 'the file that it is written to')
    .action(async (text: string, flags: FetchFlags) => {
      await using api = await openServer(flags, context);
      const id = await findException(api, text);
      const answered = await api.json({ method: 'GET', path: ['exceptions', id] });
      const document = await signedDocument(answered);
      const [{ writeException }, { exceptionLines }] = await Promise.all([
        import('@bulla/trust/policy/exceptions/sign'),
        import('@bulla/trust/policy/exceptions/render'),
      ]);
      await writeOutput(flags.write, writeException(document));
      if (flags.output === 'json') return context.out(jsonText(answered));
      for (const line of exceptionLines(document)) context.out(line);
      context.err(`written to ${printable(flags.write)}`);
    });
}
