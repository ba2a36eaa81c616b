import { encodeBase64 } from '@bulla/trust/bytes/base64';
import { decodeHex } from '@bulla/trust/bytes/hex';
import type { KeyKind } from '@bulla/trust/crypto/algorithm';
import { SIGSTORE_ALGORITHMS } from '@bulla/trust/crypto/algorithm';
import { type PublicKey, publicKeyPem } from '@bulla/trust/crypto/public-key';
import { printable, TrustFault } from '@bulla/trust/fault/fault';
import { keyFileIo } from '@bulla/trust/keys/file/disk';
import { openPrivateKey, openPublicKey } from '@bulla/trust/keys/file/open';
import { parseKeyReference } from '@bulla/trust/keys/file/reference';
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { type PassphraseFlags, passphraseSource } from '../options/key.ts';

/** The kinds of keys by the names that people type. */
const KINDS = {
  p256: 'ecdsa-p256',
  p384: 'ecdsa-p384',
  p521: 'ecdsa-p521',
  rsa2048: 'rsa-2048',
  rsa3072: 'rsa-3072',
  rsa4096: 'rsa-4096',
  ed25519: 'ed25519',
} as const satisfies Record<string, KeyKind>;

type KindName = keyof typeof KINDS;

interface WriteFlags extends PassphraseFlags {
  readonly outputKeyPrefix: string;
  readonly plain?: true;
  readonly force?: true;
  readonly yes?: true;
}

/** `bulla key generate|import|inspect|public`. */
export function configure(command: Command, context: CliContext): void {
  configureGenerate(command, context);
  configureImport(command, context);
  command
    .command('inspect <ref>')
    .description('say what a public or private key is; private keys are opened')
    .option('--passphrase-file <file>', 'file whose first line is the passphrase')
    .action(async (reference: string, flags: PassphraseFlags) => {
      const key = await readAnyKey(reference, flags, context);
      printKey(key.key, key.secret, context);
    });
  command
    .command('public [ref]')
    .description('print the public half of a key as PEM')
    .option('--key <ref>', 'the key')
    .option('--passphrase-file <file>', 'file whose first line is the passphrase')
    .action(
      async (named: string | undefined, flags: PassphraseFlags & { readonly key?: string }) => {
        const reference = named ?? flags.key;
        if (reference === undefined) throw new TrustFault('usage.invalid', 'no key was named');
        const { key } = await readAnyKey(reference, flags, context);
        context.out(publicKeyPem(key).trimEnd());
      },
    );
}

function addWriteOptions(command: Command): Command {
  return command
    .option('--output-key-prefix <prefix>', 'write PREFIX.key and PREFIX.pub', 'bulla')
    .option('--passphrase-file <file>', 'file whose first line is the new passphrase')
    .option('--plain', 'write the private key unencrypted (PKCS#8)')
    .option('--force', 'overwrite files that are there')
    .option('-y, --yes', 'accepted for habit; nothing is asked');
}

function configureGenerate(command: Command, context: CliContext): void {
  const generate = command
    .command('generate')
    .description('make a key pair; the private key is encrypted as cosign does it')
    .addOption(
      command
        .createOption('--type <kind>', 'kind of key')
        .choices(['p256', 'p384', 'p521', 'rsa2048', 'rsa3072', 'rsa4096', 'ed25519'])
        .default('p256'),
    );
  addWriteOptions(generate).action(async (flags: WriteFlags & { readonly type: KindName }) => {
    const { generatePrivateKey } = await import('@bulla/trust/keys/file/generate');
    const key = await generatePrivateKey(KINDS[flags.type]);
    await writeKeyPair(key, flags, context);
  });
}

function configureImport(command: Command, context: CliContext): void {
  const importer = command
    .command('import <file>')
    .description('read a private key (PKCS#8, PKCS#1, SEC1, cosign) and write it encrypted')
    .option('--current-passphrase-file <file>', 'file with the passphrase of the key to import');
  addWriteOptions(importer).action(
    async (file: string, flags: WriteFlags & { readonly currentPassphraseFile?: string }) => {
      const current = flags.currentPassphraseFile;
      const passphrase = passphraseSource(
        current === undefined ? {} : { passphraseFile: current },
        context,
      );
      const opened = await openPrivateKey(parseKeyReference(file), keyFileIo(context.env), {
        passphrase,
      });
      for (const warning of opened.warnings) context.err(`warning: ${printable(warning)}`);
      await writeKeyPair(opened.object, flags, context);
    },
  );
}

async function writeKeyPair(
  key: Parameters<typeof import('@bulla/trust/keys/file/cosign-key').sealCosignKey>[0],
  flags: WriteFlags,
  context: CliContext,
): Promise<void> {
  const [
    { sealCosignKey },
    { writeKeyFiles },
    { plainPrivateKeyPem },
    { publicKeyOf },
    { createPublicKey },
  ] = await Promise.all([
    import('@bulla/trust/keys/file/cosign-key'),
    import('@bulla/trust/keys/file/write'),
    import('@bulla/trust/keys/file/generate'),
    import('@bulla/trust/crypto/public-key'),
    import('node:crypto'),
  ]);
  const prefix = flags.outputKeyPrefix;
  const publicKey = publicKeyOf(createPublicKey(key), `${prefix}.pub`);
  const text =
    flags.plain === true
      ? plainPrivateKeyPem(key)
      : await sealCosignKey(key, await newPassphrase(prefix, flags, context));
  await writeKeyFiles(
    [
      { path: `${prefix}.key`, text, secret: true },
      { path: `${prefix}.pub`, text: publicKeyPem(publicKey), secret: false },
    ],
    { overwrite: flags.force === true },
  );
  if (flags.plain === true) context.err(`warning: ${printable(prefix)}.key is not encrypted`);
  context.out(`private key ${printable(prefix)}.key`);
  context.out(`public key  ${printable(prefix)}.pub  ${publicKey.kind}  ${publicKey.id}`);
}

/** A new passphrase is asked for twice on a terminal; from elsewhere it is taken as it is. */
async function newPassphrase(
  prefix: string,
  flags: PassphraseFlags,
  context: CliContext,
): Promise<string> {
  const ask = passphraseSource(flags, context);
  const passphrase = await ask(`new passphrase for ${prefix}.key`);
  const typed =
    flags.passphraseFile === undefined &&
    context.env['BULLA_PASSPHRASE'] === undefined &&
    context.env['COSIGN_PASSWORD'] === undefined;
  if (typed && (await ask('the same passphrase again')) !== passphrase) {
    throw new TrustFault('usage.invalid', 'the two passphrases differ');
  }
  return passphrase;
}

async function readAnyKey(
  reference: string,
  flags: PassphraseFlags,
  context: CliContext,
): Promise<{ readonly key: PublicKey; readonly secret: boolean }> {
  const parsed = parseKeyReference(reference);
  const io = keyFileIo(context.env);
  try {
    return { key: await openPublicKey(parsed, io), secret: false };
  } catch (error) {
    // Only a file that is no public key is tried as a private one.
    if (!(error instanceof TrustFault) || error.code !== 'crypto.key-malformed') throw error;
    const passphrase = passphraseSource(flags, context);
    return { key: (await openPrivateKey(parsed, io, { passphrase })).publicKey, secret: true };
  }
}

function printKey(key: PublicKey, secret: boolean, context: CliContext): void {
  context.out(`kind        ${key.kind}${secret ? ' (private key)' : ''}`);
  context.out(`id          ${key.id}`);
  context.out(`bundle hint ${encodeBase64(decodeHex(key.id))}`);
  context.out(`algorithms  ${SIGSTORE_ALGORITHMS[key.kind].join(', ')}`);
}
