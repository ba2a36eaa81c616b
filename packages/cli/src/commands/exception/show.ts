import { printable } from '@bulla/trust/fault/fault';
import type { Command } from 'commander';
import type { CliContext } from '../../context.ts';
import { readException } from '../../options/exceptions.ts';
import { outputOption } from '../../options/output.ts';
import { jsonText } from '../../output/json.ts';

/** `bulla exception show FILE`: all that it says, and whether its signatures are its parties'. */
export function configureShow(exception: Command, context: CliContext): void {
  const command = exception.command('show');
  command
    .description('show all that a request or an exception says, and whether its signatures hold')
    .argument('<file>', 'the document; - reads it')
    .addOption(outputOption(command))
    .action(async (file: string, flags: { readonly output: 'text' | 'json' }) => {
      const [{ exceptionJson, exceptionLines }, { signatureProblem }] = await Promise.all([
        import('@bulla/trust/policy/exceptions/render'),
        import('@bulla/trust/policy/exceptions/signatures'),
      ]);
      const document = await readException(file, context);
      const problem = await signatureProblem(document);
      if (problem !== null) context.exit.note(1);
      if (flags.output === 'json') {
        const schema = 'https://bulla.dev/schemas/exception/v1';
        context.out(
          jsonText({ schema, exception: exceptionJson(document), signatureProblem: problem }),
        );
        return;
      }
      for (const line of exceptionLines(document)) context.out(line);
      context.out(
        problem === null
          ? 'signatures  each is by the key that the document names; a policy says whether it is the right one'
          : `signatures  ${printable(problem)}`,
      );
    });
}
