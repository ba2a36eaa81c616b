import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { LoadedPolicies } from '@bulla/trust/policy/files/load';
import type { NameAlias } from '@bulla/trust/policy/names';
import type { TrustedRoot } from '@bulla/trust/trust-root/trusted-root';
import type { Command, Option } from 'commander';
import type { CliContext } from '../context.ts';
import { collect, repeatableOptions } from './repeatable.ts';
import { openTrustRoot } from './verification.ts';

/** The options of commands that decide by policies, as commander gives them. */
export interface PolicyFlags {
  readonly policy: readonly string[];
  readonly trustRoot: readonly string[];
  readonly alias: readonly string[];
  readonly environment?: string;
  readonly namespace?: string;
}

/** Declares where policies come from and what the door knows of itself. */
export function addPolicyOptions(command: Command): Command {
  const repeatable = repeatableOptions(command);
  return command
    .addOption(
      repeatable('--policy <path>', 'file or folder of TrustPolicy documents (repeatable)'),
    )
    .addOption(trustRootOption(command))
    .addOption(
      repeatable(
        '--alias <from=to>',
        'a mirror or gateway prefix and what it stands for (repeatable)',
      ),
    )
    .option('--environment <name>', 'where this is: policies may be limited to environments');
}

/** `--trust-root`, for `namedTrustRoots`. */
export function trustRootOption(command: Command): Option {
  return command
    .createOption('--trust-root <name=file>', 'a trust root that policies name (repeatable)')
    .argParser(collect)
    .default([], 'none');
}

/** The policies that the flags name, loaded; warnings go to stderr. Throws `usage.invalid`, `policy.*`. */
export async function namedPolicies(
  flags: PolicyFlags,
  context: CliContext,
): Promise<LoadedPolicies> {
  if (flags.policy.length === 0) {
    throw new TrustFault(
      'usage.invalid',
      'nothing says which policies decide',
      'Give --policy FILE; `bulla policy init` writes one.',
    );
  }
  return loadedPolicies(flags.policy, await namedTrustRoots(flags, context), context);
}

/** The policies of files and folders, loaded; warnings go to stderr. Throws `policy.*`. */
export async function loadedPolicies(
  paths: readonly string[],
  trustRoots: ReadonlyMap<string, TrustedRoot>,
  context: CliContext,
): Promise<LoadedPolicies> {
  const { loadPolicies } = await import('@bulla/trust/policy/files/load');
  const loaded = await loadPolicies(paths, { trustRoots });
  for (const warning of loaded.warnings) {
    const { file, line, column } = warning.place;
    context.err(`${file}:${line}:${column}: warning: ${warning.message}  [${warning.code}]`);
  }
  return loaded;
}

/** The trust roots that the flags name. Throws `usage.invalid`, `usage.file`, `usage.trust-root`. */
export async function namedTrustRoots(
  flags: Pick<PolicyFlags, 'trustRoot'>,
  context: CliContext,
): Promise<ReadonlyMap<string, TrustedRoot>> {
  const trustRoots = new Map<string, TrustedRoot>();
  for (const text of flags.trustRoot) {
    const [name, file] = pair(text, '--trust-root', 'NAME=FILE');
    const root = await openTrustRoot(file, false, context);
    if (root !== null) trustRoots.set(name, root);
  }
  return trustRoots;
}

/** The aliases that the flags name (semantics 7). Throws `usage.invalid`. */
export function namedAliases(flags: Pick<PolicyFlags, 'alias'>): readonly NameAlias[] {
  return flags.alias.map((text) => {
    const [from, to] = pair(text, '--alias', 'FROM=TO');
    return { from, to };
  });
}

function pair(text: string, option: string, form: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1 || at === text.length - 1) {
    throw new TrustFault('usage.invalid', `expected ${form} at ${option}, found ${quote(text)}`);
  }
  return [text.slice(0, at), text.slice(at + 1)];
}
