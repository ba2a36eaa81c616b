import { printable } from '@bulla/trust/fault/fault';
import type { Command } from 'commander';
import type { CliContext } from '../../context.ts';
import { readException } from '../../options/exceptions.ts';
import { writeOutput } from '../../options/files.ts';
import { openFlaggedSigner, type SigningFlags } from '../../options/signing.ts';
import { requireYes } from '../../options/yes.ts';

interface ApproveFlags extends Pick<SigningFlags, 'key' | 'passphraseFile' | 'yes'> {
  readonly identity: string;
  readonly write: string;
}

/** `bulla exception approve FILE`: the approver's signature over the whole request. */
export function configureApprove(exception: Command, context: CliContext): void {
  exception
    .command('approve')
    .description('approve a request: show all of it, and sign it with the key of an approver')
    .argument('<file>', 'the request; - reads it')
    .requiredOption('--identity <text>', 'who approves, such as security@acme.example')
    .option('--key <ref>', 'private key of the approver: a file, or env://VARIABLE')
    .option('--passphrase-file <file>', 'file whose first line is the passphrase of the key')
    .requiredOption('--write <file>', 'the file that the approved exception is written to')
    .option('-y, --yes', 'approve without being asked')
    .action(async (file: string, flags: ApproveFlags) => {
      const [{ approveException, writeException }, { exceptionLines }] = await Promise.all([
        import('@bulla/trust/policy/exceptions/sign'),
        import('@bulla/trust/policy/exceptions/render'),
      ]);
      const request = await readException(file, context);
      for (const line of exceptionLines(request)) context.out(line);
      await requireYes(flags, context, {
        what: 'an approval',
        question: 'approve this?',
        declined: 'it was not approved',
        remedy: 'Read what the request says with `bulla exception show FILE`, and add --yes.',
      });
      await using signer = await openFlaggedSigner(flags, context);
      const approval = { identity: flags.identity, approvedAt: context.clock() };
      const approved = await approveException(request, approval, signer);
      await writeOutput(flags.write, writeException(approved));
      context.out(`approved by ${flags.identity}: ${printable(flags.write)}`);
    });
}
