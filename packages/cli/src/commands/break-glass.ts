import { printable } from '@bulla/trust/fault/fault';
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { askedClauses, type ClauseFlags, clauseOptions } from '../options/exception-clauses.ts';
import {
  exceptionSubject,
  type SubjectFlags,
  subjectOptions,
} from '../options/exception-subject.ts';
import { instantOf } from '../options/instant.ts';
import { openFlaggedSigner, type SigningFlags } from '../options/signing.ts';
import { requireYes } from '../options/yes.ts';
import { jsonText } from '../output/json.ts';
import { clausesInForce } from '../server/clauses.ts';
import { handedIn, parseOne, stateLine } from '../server/exceptions.ts';
import { openServer, type ServerFlags, serverOptions } from '../server/running.ts';

interface GlassFlags
  extends Pick<SigningFlags, 'key' | 'passphraseFile' | 'yes'>,
    SubjectFlags,
    ClauseFlags,
    ServerFlags {
  readonly name: string;
  readonly identity: string;
  readonly reason: string;
  readonly until: string;
}

/** `bulla break-glass IMAGE`: lets an image in by the key that the policy keeps for it, and says so. */
export function configure(command: Command, context: CliContext): void {
  serverOptions(command);
  clauseOptions(command, 'what it lifts (repeatable; default: require, all of it)');
  subjectOptions(command)
    .option('--name <name>', 'what people call it', 'break-glass')
    .requiredOption('--identity <text>', 'who breaks the glass, such as oncall@acme.example')
    .requiredOption('--reason <text>', 'why; it is recorded, sent to receivers, and reviewed')
    .option('--until <instant>', 'when it ends, at most 4h from now', '1h')
    .option('--key <ref>', 'the break-glass key of the policy: a file, or env://VARIABLE')
    .option('--passphrase-file <file>', 'file whose first line is the passphrase of the key')
    .option('-y, --yes', 'break it without being asked')
    .action((image: string, flags: GlassFlags) => breakGlass(image, flags, context));
}

async function breakGlass(image: string, flags: GlassFlags, context: CliContext): Promise<void> {
  const [{ signException }, { exceptionLines }] = await Promise.all([
    import('@bulla/trust/policy/exceptions/sign'),
    import('@bulla/trust/policy/exceptions/render'),
  ]);
  const now = context.clock();
  const { repository, digest } = exceptionSubject(image, flags);
  const clause = flags.clause.length === 0 ? ['require'] : flags.clause;
  await using api = await openServer(flags, context);
  await using signer = await openFlaggedSigner(flags, context);
  const document = await signException(
    {
      name: flags.name,
      kind: 'break-glass',
      repository,
      digest,
      lifts: askedClauses({ forPolicy: flags.forPolicy, clause }, await clausesInForce(api)),
      surfaces: null,
      namespaces: null,
      identity: flags.identity,
      reason: flags.reason,
      compensatingControl: null,
      issuedAt: now,
      expires: instantOf(flags.until, { option: '--until', now, toward: 'future' }),
    },
    signer,
  );
  for (const line of exceptionLines(document)) context.err(line);
  await requireYes(flags, context, {
    what: 'breaking the glass',
    question: 'break the glass?',
    declined: 'the glass was not broken',
    remedy: 'Add --yes.',
  });
  const body = await handedIn(document);
  const answered = await api.json({ method: 'POST', path: ['break-glass'], body });
  if (flags.output === 'json') context.out(jsonText(answered));
  else context.out(printable(stateLine(parseOne(answered))));
  context.err('BREAK-GLASS is recorded; somebody else has to close its review when it has ended:');
  const short = document.id.replace('sha256:', '').slice(0, 12);
  context.err(`  bulla exception review ${short} --found TEXT`);
}
