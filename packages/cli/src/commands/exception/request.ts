import { printable, TrustFault } from '@bulla/trust/fault/fault';
import type { Surface } from '@bulla/trust/policy/document';
import type { Command } from 'commander';
import type { CliContext } from '../../context.ts';
import {
  askedClauses,
  type ClauseFlags,
  clauseOptions,
  clausesInFiles,
  type KnownClauses,
} from '../../options/exception-clauses.ts';
import {
  exceptionSubject,
  type SubjectFlags,
  subjectOptions,
} from '../../options/exception-subject.ts';
import { writeOutput } from '../../options/files.ts';
import { instantOf } from '../../options/instant.ts';
import { type PolicyFlags, trustRootOption } from '../../options/policy.ts';
import { repeatableOptions } from '../../options/repeatable.ts';
import { openFlaggedSigner, type SigningFlags } from '../../options/signing.ts';
import { jsonText } from '../../output/json.ts';
import { clausesInForce } from '../../server/clauses.ts';
import { openServer, type ServerFlags, serverOptions } from '../../server/running.ts';

interface RequestFlags
  extends Pick<SigningFlags, 'key' | 'passphraseFile'>,
    Pick<PolicyFlags, 'policy' | 'trustRoot'>,
    ServerFlags,
    SubjectFlags,
    ClauseFlags {
  readonly name: string;
  readonly surface: readonly Surface[];
  readonly namespace: readonly string[];
  readonly identity: string;
  readonly reason: string;
  readonly control: string;
  readonly until: string;
  readonly write: string;
}

/** `bulla exception request IMAGE`: a request, signed by whoever asks. */
export function configureRequest(exception: Command, context: CliContext): void {
  const command = exception.command('request');
  const repeatable = repeatableOptions(command);
  serverOptions(command)
    .description('ask for an exception: write a request that an approver of the policy can sign')
    .requiredOption('--name <name>', 'what people call the exception');
  const clauses = 'what it lifts, such as require.all[1], tags or rollback (repeatable)';
  clauseOptions(command, clauses)
    .addOption(
      repeatable(
        '--policy <path>',
        'file or folder that holds these policies (repeatable); else those of the server count',
      ),
    )
    .addOption(trustRootOption(command))
    .addOption(repeatable('--surface <name>', 'only there (repeatable)'))
    .addOption(repeatable('--namespace <name>', 'only there (repeatable)'));
  subjectOptions(command)
    .requiredOption('--identity <text>', 'who asks, such as dev@acme.example')
    .requiredOption('--reason <text>', 'why it is needed')
    .requiredOption('--control <text>', 'what keeps the risk small meanwhile')
    .requiredOption('--until <instant>', 'when it ends: an instant, or so long from now as 24h')
    .option('--key <ref>', 'private key of who asks: a file, or env://VARIABLE')
    .option('--passphrase-file <file>', 'file whose first line is the passphrase of the key')
    .requiredOption('--write <file>', 'the file that the request is written to')
    .action(async (image: string, flags: RequestFlags) => {
      const { signException, writeException } = await import('@bulla/trust/policy/exceptions/sign');
      const { exceptionJson, exceptionLines } = await import(
        '@bulla/trust/policy/exceptions/render'
      );
      const now = context.clock();
      const { repository, digest } = exceptionSubject(image, flags);
      const some = <T>(list: readonly T[]) => (list.length === 0 ? null : list);
      await using signer = await openFlaggedSigner(flags, context);
      const document = await signException(
        {
          name: flags.name,
          kind: 'exception',
          repository,
          digest,
          lifts: askedClauses(flags, await knownClauses(flags, context)),
          surfaces: some(flags.surface),
          namespaces: some(flags.namespace),
          identity: flags.identity,
          reason: flags.reason,
          compensatingControl: flags.control,
          issuedAt: now,
          expires: instantOf(flags.until, { option: '--until', now, toward: 'future' }),
        },
        signer,
      );
      await writeOutput(flags.write, writeException(document));
      if (flags.output === 'json') {
        const schema = 'https://bulla.dev/schemas/exception/v1';
        const exception = exceptionJson(document);
        context.out(jsonText({ schema, exception, signatureProblem: null }));
      } else for (const line of exceptionLines(document)) context.out(line);
      context.err(`${printable(flags.write)} is a request: an approver of the policy must sign it`);
    });
}

/** Files go before the server: who names some means those. */
async function knownClauses(flags: RequestFlags, context: CliContext): Promise<KnownClauses> {
  if (flags.policy.length > 0) return clausesInFiles(flags, context);
  if (flags.server === undefined && (context.env['BULLA_SERVER'] ?? '') === '') {
    throw new TrustFault(
      'usage.invalid',
      'nothing says what the policies are now, and a request is for what their clauses say',
      'Give --policy FILE, or --server URL.',
    );
  }
  await using api = await openServer(flags, context);
  return clausesInForce(api);
}
