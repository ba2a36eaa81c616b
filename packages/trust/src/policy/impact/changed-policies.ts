import { digestOf } from '../../bytes/hash.ts';
import { encodeHex } from '../../bytes/hex.ts';
import { quote, TrustFault } from '../../fault/fault.ts';
import type { AuthoritySpec, PolicyMode, Requirement } from '../document.ts';
import type { PolicySet, ReadyAuthority, ReadyPolicy } from '../policy-set.ts';
import { type ChangedAuthority, changeText, type TrustChange } from './change.ts';
import { renameIdentity } from './identities.ts';
import { retireKey } from './keys.ts';
import { retireRoot } from './roots.ts';

/** An authority that a change touches. */
export interface TouchedAuthority {
  readonly policy: string;
  readonly authority: string;
  /** The change that touches it first, as a sentence without its end. */
  readonly by: string;
  /** Whether nothing that it signed counts any more. */
  readonly gone: boolean;
}

/**
 * Policies as they are and as they would be, both in the form in which they are judged: whatever their
 * mode they refuse, so that what a policy in mode `warn` would lose is told as well.
 */
export interface ChangedPolicies {
  readonly before: PolicySet;
  readonly after: PolicySet;
  readonly touched: readonly TouchedAuthority[];
  /** What each policy's own mode is, by its name. */
  readonly modes: ReadonlyMap<string, PolicyMode>;
}

type Change = (authority: ReadyAuthority, spec: AuthoritySpec | undefined) => ChangedAuthority;

/**
 * Applies all changes to a set of policies. An authority that is gone is taken from every clause that
 * names it; thresholds stay, as a person who edits the policy would leave them. Throws
 * `impact.change-unknown` for a change that touches no authority: nothing could be said of it.
 */
export function changedPolicies(set: PolicySet, changes: readonly TrustChange[]): ChangedPolicies {
  if (changes.length === 0) {
    throw new TrustFault('impact.change-unknown', 'expected a change, found none');
  }
  // Names and patterns are looked up in the policies as they are, whichever change comes first.
  const applied = changes.map((change) => ({ change, apply: changeOf(set, change) }));
  const made = set.policies.map((policy) => changedPolicy(policy, applied));
  const used = new Set(made.flatMap(({ used: own }) => [...own]));
  const unknown = changes.find((change) => !used.has(change));
  if (unknown !== undefined) throw unknownChange(unknown);
  return {
    before: { ...set, policies: set.policies.map(asJudged) },
    after: {
      ...set,
      policies: made.map(({ policy }) => policy),
      hash: hashText([set.hash, changes]),
    },
    touched: made.flatMap((one) => one.touched),
    modes: new Map(set.policies.map(({ document }) => [document.name, document.mode])),
  };
}

interface MadePolicy {
  readonly policy: ReadyPolicy;
  readonly touched: readonly TouchedAuthority[];
  readonly used: ReadonlySet<TrustChange>;
}

function changedPolicy(
  policy: ReadyPolicy,
  applied: readonly { readonly change: TrustChange; readonly apply: Change }[],
): MadePolicy {
  const { document } = policy;
  const touched: TouchedAuthority[] = [];
  const used = new Set<TrustChange>();
  const authorities = new Map<string, ReadyAuthority>();
  const gone = new Set<string>();
  for (const [name, original] of policy.authorities) {
    const spec = document.authorities[name];
    const touching = applied.filter(({ apply }) => apply(original, spec) !== null);
    const now = touching.reduce<ReadyAuthority | 'gone'>(
      (one, { apply }) => (one === 'gone' ? one : (apply(one, spec) ?? one)),
      original,
    );
    if (now === 'gone') gone.add(name);
    else authorities.set(name, now);
    const [first] = touching;
    if (first === undefined) continue;
    for (const { change } of touching) used.add(change);
    const by = changeText(first.change);
    touched.push({ policy: document.name, authority: name, by, gone: now === 'gone' });
  }
  const judged = asJudged(policy);
  const changes = [...used];
  const changed = withAuthorities(judged, authorities, gone, changes);
  return { policy: touched.length === 0 ? judged : changed, touched, used };
}

function changeOf(set: PolicySet, change: TrustChange): Change {
  switch (change.kind) {
    case 'retire-key':
      return retireKey(set, change.key);
    case 'rename-identity':
      return renameIdentity(change.from, change.to);
    case 'retire-root':
      return retireRoot(set, change.root);
    default:
      return change satisfies never;
  }
}

function unknownChange(change: TrustChange): TrustFault {
  const says = {
    'retire-key': 'no authority of the policies has that key or that name',
    'rename-identity': 'no keyless authority of the policies accepts the former one',
    'retire-root': 'no authority of the policies uses a trust root that is or names it',
  } as const;
  return new TrustFault(
    'impact.change-unknown',
    `${changeText(change)}, and ${says[change.kind]}: ${quote(nameOf(change))}`,
  );
}

function nameOf(change: TrustChange): string {
  if (change.kind === 'retire-key') return change.key;
  return change.kind === 'retire-root' ? change.root : change.from.subject;
}

/** Mode and outages are the policy's word on what follows; a valid path is there or not. */
function asJudged(policy: ReadyPolicy): ReadyPolicy {
  return { ...policy, document: { ...policy.document, mode: 'enforce', onInconclusive: 'deny' } };
}

/** The policy with these authorities; those that are gone stand in none of its clauses. */
export function withAuthorities(
  policy: ReadyPolicy,
  authorities: ReadonlyMap<string, ReadyAuthority>,
  gone: ReadonlySet<string>,
  why: unknown,
): ReadyPolicy {
  const { document } = policy;
  return {
    ...policy,
    document: { ...document, require: withoutNames(document.require, gone) },
    authorities,
    hash: hashText([policy.hash, why, [...gone]]),
  };
}

function withoutNames(requirement: Requirement, gone: ReadonlySet<string>): Requirement {
  const left = (names: readonly string[]) => names.filter((name) => !gone.has(name));
  switch (requirement.kind) {
    case 'signed':
      return { ...requirement, of: left(requirement.of) };
    case 'attested':
      return { ...requirement, by: left(requirement.by), vexBy: left(requirement.vexBy) };
    default:
      return {
        ...requirement,
        parts: requirement.parts.map((part) => withoutNames(part, gone)),
      };
  }
}

function hashText(value: unknown): string {
  const bytes = Buffer.from(JSON.stringify(value), 'utf8');
  return `sha256:${encodeHex(digestOf('sha256', bytes))}`;
}
