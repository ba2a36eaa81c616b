import { printable, TrustFault } from '@bulla/trust/fault/fault';
import { parseDigest } from '@bulla/trust/oci/digest';
import { verifyBlob } from '@bulla/trust/verify';
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { readFileBounded, writeOutput } from '../options/files.ts';
import { outputOption } from '../options/output.ts';
import { readPredicate } from '../options/predicate.ts';
import { addSigningOptions, type SigningFlags, signingContext } from '../options/signing.ts';
import {
  addVerificationOptions,
  type VerificationFlags,
  verificationQuestion,
} from '../options/verification.ts';
import { type OutputFormat, printVerdicts } from '../output/verdict.ts';

/** The largest file that is signed whole. */
const MAX_FILE_BYTES = 1 << 30;
const MAX_BUNDLE_BYTES = 128 << 20;

/** `bulla blob sign|attest|verify FILE`. */
export function configure(command: Command, context: CliContext): void {
  configureSign(command.command('sign <file>').description('sign a file'), context);
  configureAttest(
    command.command('attest <file>').description('sign a statement on a file'),
    context,
  );
  configureVerify(
    command.command('verify [file]').description('verify a file by its bundle or signature'),
    context,
  );
}

interface BlobSignFlags extends SigningFlags {
  readonly bundle?: string;
  readonly signature?: string;
}

function configureSign(command: Command, context: CliContext): void {
  addSigningOptions(command)
    .option('--bundle <file>', 'write the bundle here (default: FILE.sigstore.json)')
    .option('--signature <file>', 'write the bare signature in base64 here as well')
    .action(async (path: string, flags: BlobSignFlags) => {
      const signing = await signingContext(flags, context);
      await using _signer = signing.signer;
      const { signBlob } = await import('@bulla/trust/sign/blob');
      const message = await readFileBounded(path, MAX_FILE_BYTES, context.signal);
      const signed = await signBlob(message, signing);
      const bundle = flags.bundle ?? `${path}.sigstore.json`;
      await writeOutput(bundle, signed.bundle);
      if (flags.signature !== undefined)
        await writeOutput(flags.signature, `${signed.signature}\n`);
      context.out(printable(`signed ${path} ${signed.digest}  bundle ${bundle}`));
    });
}

interface BlobAttestFlags extends SigningFlags {
  readonly type: string;
  readonly predicate?: string;
  readonly bundle?: string;
}

function configureAttest(command: Command, context: CliContext): void {
  addSigningOptions(command)
    .option('--type <type>', 'short name of the predicate type, or its URI', 'custom')
    .option('--predicate <file>', 'the predicate; - for standard input')
    .option('--bundle <file>', 'write the bundle here (default: FILE.sigstore.json)')
    .action(async (path: string, flags: BlobAttestFlags) => {
      const { attestBlob } = await import('@bulla/trust/sign/blob');
      const predicate = await readPredicate(flags.predicate, flags.type, context);
      const signing = await signingContext(flags, context);
      await using _signer = signing.signer;
      const message = await readFileBounded(path, MAX_FILE_BYTES, context.signal);
      const attestation = { name: path, message, type: flags.type, predicate };
      const signed = await attestBlob(attestation, signing);
      const bundle = flags.bundle ?? `${path}.sigstore.json`;
      await writeOutput(bundle, signed.bundle);
      context.out(printable(`attested ${path} ${signed.digest}  ${flags.type}  bundle ${bundle}`));
    });
}

interface BlobVerifyFlags extends VerificationFlags {
  readonly bundle?: string;
  readonly signature?: string;
  readonly digest?: string;
  readonly output: OutputFormat;
}

function configureVerify(command: Command, context: CliContext): void {
  addVerificationOptions(command)
    .option('--bundle <file>', 'the Sigstore bundle')
    .option('--signature <file>', 'a detached signature, base64 or raw')
    .option('--digest <sha256:hex>', 'the digest, where the file itself is not at hand')
    .addOption(outputOption(command, ['text', 'json', 'sarif']))
    .action(async (path: string | undefined, flags: BlobVerifyFlags) => {
      const question = await verificationQuestion(flags, context);
      await using _runner = question.condition?.runner;
      const artifact = await blobArtifact(path, flags, context);
      const evidence = await blobEvidence(flags, context);
      const verdict = await verifyBlob({
        ...question,
        ...artifact,
        evidence: [evidence],
        now: context.now,
      });
      await printVerdicts([verdict], flags.output, context);
    });
}

async function blobArtifact(path: string | undefined, flags: BlobVerifyFlags, context: CliContext) {
  if ((path === undefined) === (flags.digest === undefined)) {
    throw new TrustFault('usage.invalid', 'expected a FILE, or --digest in its place');
  }
  if (path === undefined) {
    const digest = parseDigest(flags.digest ?? '', '--digest');
    return { name: digest, digest, bytes: null };
  }
  const bytes = await readFileBounded(path, MAX_FILE_BYTES, context.signal);
  const { computeDigest } = await import('@bulla/trust/oci/digest');
  return { name: path, digest: computeDigest(bytes), bytes };
}

async function blobEvidence({ bundle, signature }: BlobVerifyFlags, { signal }: CliContext) {
  if ((bundle === undefined) === (signature === undefined)) {
    throw new TrustFault('usage.invalid', 'expected --bundle FILE or --signature FILE');
  }
  const { bundleEvidence, detachedEvidence } = await import('@bulla/trust/sign/blob');
  if (bundle !== undefined) {
    return bundleEvidence(
      await readFileBounded(bundle, MAX_BUNDLE_BYTES, signal),
      `bundle ${bundle}`,
    );
  }
  const path = signature ?? '';
  return detachedEvidence(await readFileBounded(path, 1 << 16, signal), `signature ${path}`);
}
