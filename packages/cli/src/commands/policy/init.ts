import { mkdir, stat } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { problemLine } from '@bulla/trust/bytes/yaml/problem';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { PolicyMode } from '@bulla/trust/policy/document';
import { type InitialSigner, initialPolicy } from '@bulla/trust/policy/init';
import { canonicalName } from '@bulla/trust/policy/names';
import { parsePolicies } from '@bulla/trust/policy/parse';
import type { Pattern } from '@bulla/trust/policy/pattern';
import { parsePolicyKey } from '@bulla/trust/policy/public-key';
import type { Command } from 'commander';
import type { CliContext } from '../../context.ts';
import { writeOutput } from '../../options/files.ts';
import { collect } from '../../options/repeatable.ts';
import { readNamedFile } from '../../options/wrong-use.ts';

interface InitFlags {
  readonly name: string;
  readonly image: readonly string[];
  readonly key?: string;
  readonly certificateIdentity?: string;
  readonly certificateIdentityRegexp?: string;
  readonly certificateOidcIssuer?: string;
  readonly certificateOidcIssuerRegexp?: string;
  readonly trustRoot: string;
  readonly mode: PolicyMode;
  readonly file: string;
  readonly force?: true;
}

/** `bulla policy init`: writes a small policy with comments that works as it stands. */
export function configureInit(policy: Command, context: CliContext): void {
  const command = policy.command('init');
  command
    .description('write a small policy with comments that works as it stands')
    .option('--name <name>', 'name of the policy', 'default')
    .addOption(
      command
        .createOption('--image <name>', 'an image, or a glob of images with * or ** (repeatable)')
        .argParser(collect)
        .default([], '**, every image'),
    )
    .option('--key <file>', 'the public key whose signature is asked for')
    .option('--certificate-identity <value>', 'the identity whose signature is asked for')
    .option('--certificate-identity-regexp <pattern>', 'the same as a whole-string expression')
    .option('--certificate-oidc-issuer <value>', 'who vouched for the identity')
    .option('--certificate-oidc-issuer-regexp <pattern>', 'the same as a whole-string expression')
    .option('--trust-root <name>', 'the trust root of the identity', 'public-good')
    .addOption(
      command
        .createOption('--mode <mode>', 'what a refused image meets')
        .choices(['enforce', 'warn', 'audit'])
        .default('enforce'),
    )
    .option(
      '--file <file>',
      'where to write the policy, with the folders that are missing; - prints it',
      'policy.yaml',
    )
    .option('--force', 'overwrite a file that is there')
    .action(async (flags: InitFlags) => {
      const signer = await signerOf(flags, context);
      const { name, mode } = flags;
      const text = initialPolicy({ name, mode, images: imagesOf(flags), signer });
      requireSound(text, flags.file);
      if (flags.file === '-') {
        context.out(text.trimEnd());
        return;
      }
      if (flags.force !== true && (await stat(flags.file).catch(() => null)) !== null) {
        throw new TrustFault(
          'usage.file',
          `${quote(flags.file)} is there already`,
          'Give --file another name, or --force to overwrite it.',
        );
      }
      // What cannot be made is told by the write, with the path that was given.
      await mkdir(dirname(flags.file), { recursive: true }).catch(() => null);
      await writeOutput(flags.file, text);
      context.out(flags.file);
    });
}

function imagesOf({ image }: InitFlags): readonly Pattern[] {
  const names = image.length === 0 ? ['**'] : image;
  return names.map((name) =>
    name.includes('*') ? { glob: name } : { exact: canonicalName(name, []) },
  );
}

async function signerOf(flags: InitFlags, context: CliContext): Promise<InitialSigner> {
  const issuer = pattern(flags.certificateOidcIssuer, flags.certificateOidcIssuerRegexp);
  const subject = pattern(flags.certificateIdentity, flags.certificateIdentityRegexp);
  const { key: path, trustRoot, file } = flags;
  if (path !== undefined && issuer === null && subject === null) {
    const named = { path, maxBytes: 64 << 10, signal: context.signal };
    await readNamedFile(named, 'policy.file', (bytes) => parsePolicyKey(bytes, path));
    // A policy names files from where it lies itself.
    return { kind: 'key', ref: file === '-' ? path : relative(dirname(file), path) };
  }
  if (path === undefined && issuer !== null && subject !== null) {
    return { kind: 'keyless', issuer, subject, trustRoot };
  }
  throw new TrustFault(
    'usage.invalid',
    'a policy must say who may sign: one key, or an identity and its issuer',
    'Give --key FILE, or --certificate-identity VALUE with --certificate-oidc-issuer VALUE.',
  );
}

function pattern(exact: string | undefined, regex: string | undefined): Pattern | null {
  if (exact !== undefined) return { exact };
  return regex === undefined ? null : { regex };
}

/** What the user gave may be no name of an image, or no expression. */
function requireSound(text: string, file: string): void {
  const [problem] = parsePolicies(Buffer.from(text), file).problems;
  if (problem !== undefined)
    throw new TrustFault(problem.code, problemLine(problem), problem.remedy);
}
