import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { parseIdentityName, type TrustChange } from '@bulla/trust/policy/impact/change';
import type { PolicySet } from '@bulla/trust/policy/policy-set';
import { parsePolicyKey } from '@bulla/trust/policy/public-key';
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { readFileBounded } from './files.ts';
import { repeatableOptions } from './repeatable.ts';

/** The changes that are asked about, as commander gives them. */
export interface ChangeFlags {
  readonly retireKey: readonly string[];
  /** The former and the new one, in turns. */
  readonly renameIdentity: readonly string[];
  readonly retireRoot: readonly string[];
}

const MAX_KEY_BYTES = 64 << 10;
const KEY_ID = /^(?:sha256:)?([0-9a-f]{64})$/i;

/** Declares `--retire-key`, `--rename-identity` and `--retire-root`, each repeatable. */
export function addChangeOptions(command: Command): Command {
  const repeatable = repeatableOptions(command);
  return command
    .addOption(
      repeatable(
        '--retire-key <key>',
        'a public key file, a key id, or an authority of the policies',
      ),
    )
    .addOption(
      repeatable(
        '--rename-identity <identities...>',
        'the former identity and the new one: SUBJECT, or ISSUER|SUBJECT',
      ),
    )
    .addOption(
      repeatable('--retire-root <name>', 'a trust root, or a CA, log or TSA that one names'),
    );
}

/** The changes that the flags name. Throws `usage.invalid`, `usage.file`, `policy.file`. */
export async function namedChanges(
  flags: ChangeFlags,
  policies: PolicySet,
  context: CliContext,
): Promise<readonly TrustChange[]> {
  const { retireKey, renameIdentity, retireRoot } = flags;
  if (renameIdentity.length % 2 !== 0) {
    throw new TrustFault(
      'usage.invalid',
      `expected two identities at --rename-identity, found ${quote(renameIdentity.at(-1))}`,
      'Give the former identity and the new one: --rename-identity A B.',
    );
  }
  const changes: TrustChange[] = [];
  for (const key of retireKey) {
    changes.push({ kind: 'retire-key', key: await keyOf(key, policies, context) });
  }
  for (let at = 0; at < renameIdentity.length; at += 2) {
    const [from, to] = [renameIdentity[at] ?? '', renameIdentity[at + 1] ?? ''].map(
      parseIdentityName,
    );
    if (from !== undefined && to !== undefined) changes.push({ kind: 'rename-identity', from, to });
  }
  for (const root of retireRoot) changes.push({ kind: 'retire-root', root });
  if (changes.length > 0) return changes;
  throw new TrustFault(
    'usage.invalid',
    'nothing says what is to change',
    'Give --retire-key, --rename-identity or --retire-root.',
  );
}

/** A name of the policies before a file that happens to be called the same. */
async function keyOf(text: string, set: PolicySet, { signal }: CliContext): Promise<string> {
  if (set.policies.some(({ authorities }) => authorities.has(text))) return text;
  const [, id] = KEY_ID.exec(text) ?? [];
  if (id !== undefined) return id;
  return parsePolicyKey(await readFileBounded(text, MAX_KEY_BYTES, signal), text).id;
}
