import { printable, quote, TrustFault } from '@bulla/trust/fault/fault';
import type { FileSigner } from '@bulla/trust/keys/file/signer';
import type { SigningServices } from '@bulla/trust/proof/services';
import type { SigningContext } from '@bulla/trust/sign/check';
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { passphraseSource } from './key.ts';
import { openTrustRoot } from './verification.ts';

/** The options of everything that signs, as commander gives them. */
export interface SigningFlags {
  readonly key?: string;
  readonly passphraseFile?: string;
  readonly signingConfig?: string;
  readonly trustedRoot?: string;
  readonly yes?: true;
}

/** Declares with what is signed and who stands witness. */
export function addSigningOptions(command: Command): Command {
  return command
    .option('--key <ref>', 'private key: a file, or env://VARIABLE')
    .option('--passphrase-file <file>', 'file whose first line is the passphrase of the key')
    .option('--signing-config <file>', 'log and timestamp services (signing_config.v0.2.json)')
    .option('--trusted-root <file>', 'trusted_root.json that their answers are checked against')
    .option('-y, --yes', 'accepted for habit; nothing is asked');
}

/** Opens the key and the services. The caller disposes `signer`. */
export async function signingContext(
  flags: SigningFlags,
  context: CliContext,
): Promise<SigningContext & { readonly signer: FileSigner }> {
  const signer = await openFlaggedSigner(flags, context);
  for (const warning of signer.warnings) context.err(`warning: ${printable(warning)}`);
  const trustRoot = await openTrustRoot(flags.trustedRoot, false, context);
  return {
    signer,
    services: await services(flags, context),
    trustRoot,
    at: context.clock(),
    now: context.now,
    signal: context.signal,
  };
}

/** The signer of `--key`. Throws `usage.invalid` without one, `key.*` and `usage.file`. */
export async function openFlaggedSigner(
  flags: Pick<SigningFlags, 'key' | 'passphraseFile'>,
  context: CliContext,
): Promise<FileSigner> {
  if (flags.key === undefined) {
    throw new TrustFault(
      'usage.invalid',
      'nothing says what to sign with',
      'Give --key FILE; `bulla key generate` makes a key.',
    );
  }
  const [{ parseKeyReference }, { openSigner }, { keyFileIo }] = await Promise.all([
    import('@bulla/trust/keys/file/reference'),
    import('@bulla/trust/keys/file/open'),
    import('@bulla/trust/keys/file/disk'),
  ]);
  const passphrase = passphraseSource(flags, context);
  return openSigner(parseKeyReference(flags.key), keyFileIo(context.env), { passphrase });
}

async function services(flags: SigningFlags, context: CliContext): Promise<SigningServices> {
  if (flags.signingConfig === undefined) {
    const { NO_SERVICES } = await import('@bulla/trust/proof/services');
    return NO_SERVICES;
  }
  if (flags.trustedRoot === undefined) {
    throw new TrustFault(
      'usage.invalid',
      `--signing-config ${quote(flags.signingConfig)} names services whose answers nothing could check`,
      'Give --trusted-root FILE of the same Sigstore as well.',
    );
  }
  const { openServices } = await import('./services.ts');
  return openServices(flags.signingConfig, context);
}
