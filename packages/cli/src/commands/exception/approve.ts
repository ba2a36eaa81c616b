import { printable, TrustFault } from '@bulla/trust/fault/fault';
import type { Command } from 'commander';
import type { CliContext } from '../../context.ts';
import { readException } from '../../options/exceptions.ts';
import { writeOutput } from '../../options/files.ts';
import { openFlaggedSigner, type SigningFlags } from '../../options/signing.ts';

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
      await requireYes(flags, context);
      await using signer = await openFlaggedSigner(flags, context);
      const approval = { identity: flags.identity, approvedAt: context.clock() };
      const approved = await approveException(request, approval, signer);
      await writeOutput(flags.write, writeException(approved));
      context.out(`approved by ${flags.identity}: ${printable(flags.write)}`);
    });
}

/** Whoever signs has seen what: on a terminal they are asked, elsewhere they say so beforehand. */
async function requireYes({ yes }: ApproveFlags, { terminal }: CliContext): Promise<void> {
  if (yes === true) return;
  if (!terminal.in) {
    throw new TrustFault(
      'usage.invalid',
      'an approval asks first, and there is no terminal to ask on',
      'Read what the request says with `bulla exception show FILE`, and add --yes.',
    );
  }
  const { askYes } = await import('../../output/prompt.ts');
  if (await askYes('approve this?')) return;
  throw new TrustFault('usage.interrupted', 'it was not approved');
}
