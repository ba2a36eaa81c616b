import { reasonOf } from '@bulla/trust/finding/reason';
import { blamed, messageOf } from '../decision/refusal-text.ts';
import { type PublicFault, publicFault } from '../http/public-fault.ts';
import type { Reached } from '../reach/question.ts';
import type { GatekeeperConfig } from './config.ts';

/** What a template reads of one image. No member is ever null: a rule on null does not fire. */
export interface VerifyValue {
  /** True only where the image may be used as it is named. */
  readonly succeeded: boolean;
  /** Empty where none is known. */
  readonly digest: string;
  /** The decision's id, by which the record has it; empty where there is none. */
  readonly decision: string;
  readonly outcome: 'admit' | 'deny' | 'error';
  /** Why not; empty where the image may be used. */
  readonly message: string;
  /** The code of `message`, or empty. */
  readonly code: string;
  readonly policies: readonly {
    readonly name: string;
    readonly mode: string;
    readonly effect: string;
  }[];
  readonly warnings: readonly string[];
}

/** One item of a ProviderResponse. `error` is empty for what was decided. */
export interface Item {
  readonly key: string;
  readonly value: VerifyValue | string;
  readonly error: string;
}

/** Whether the nodes pull a reference through this server's gateway, which decides there. */
export type ThroughGateway = (reference: string) => boolean;

/**
 * The item for an image that was decided about. A refusal is a value, for templates to word; so is a
 * tag where an enforcing policy wants a digest (semantics 16: the one who validates refuses it).
 */
export function verified(key: string, reached: Reached, tagStays: boolean): Item {
  const { decision } = reached;
  const refusal = refusalOf(reached, tagStays);
  const value: VerifyValue = {
    succeeded: refusal === null,
    digest: decision.digest ?? '',
    decision: decision.id,
    outcome: refusal === null ? 'admit' : 'deny',
    message: refusal?.message ?? '',
    code: refusal?.code ?? '',
    policies: decision.policies.map(({ policy, mode, effect }) => ({ name: policy, mode, effect })),
    warnings: decision.warnings,
  };
  return { key, value, error: '' };
}

/**
 * The item for a mutator: what takes the image's place, or an error for what is refused. An image that
 * is let through without a digest, or whose tag is to stay, stays as it was written.
 */
export function pinned(
  key: string,
  reference: string,
  { decision, pinned: found, tags }: Reached,
  pin: GatekeeperConfig['pin'],
): Item {
  if (decision.outcome === 'deny') return { key, value: '', error: messageOf(decision) };
  if (found === null || tags === 'leave') return { key, value: reference, error: '' };
  const name = pin === 'digest' ? untagged(found.tagAndDigest, found.digest) : found.tagAndDigest;
  return { key, value: name, error: '' };
}

/** The item for an image that could not be decided about: an error, and an explicit false beside it. */
export function failedItem(key: string, fault: Error, kind: 'verify' | 'mutate'): Item {
  // Those of this room are written for whoever reads Gatekeeper's denial.
  const told = publicFault(fault, (code) => code.startsWith('gatekeeper.'));
  const error = `${told.code}: ${told.message}`;
  return { key, value: kind === 'mutate' ? '' : errorValue(told), error };
}

function errorValue({ code, message }: PublicFault): VerifyValue {
  return {
    succeeded: false,
    digest: '',
    decision: '',
    outcome: 'error',
    message,
    code,
    policies: [],
    warnings: [],
  };
}

function refusalOf(
  { decision, byDigest, enforcedTags, pinned: found }: Reached,
  tagStays: boolean,
): { readonly code: string; readonly message: string } | null {
  if (decision.outcome === 'deny') {
    const { code = 'policy.no-match' } = reasonOf(blamed(decision).finding);
    return { code, message: messageOf(decision) };
  }
  if (byDigest || enforcedTags === null) return null;
  const end = `(decision ${decision.id})`;
  if (enforcedTags !== 'leave') {
    const instead = found === null ? 'its digest' : found.tagAndDigest;
    const message = `named by a tag, which the policy does not let stand: name it ${instead} ${end}`;
    return { code: 'admission.tag-unpinned', message };
  }
  if (tagStays) return null;
  const message = `its tag is left as it is, and nodes pull it past the gateway ${end}`;
  return { code: 'admission.tag-left', message };
}

/** `NAME@DIGEST` of `NAME:TAG@DIGEST`: a colon after the last slash begins a tag. */
function untagged(tagAndDigest: string, digest: string): string {
  const name = tagAndDigest.slice(0, -digest.length - 1);
  return `${name.replace(/:[^:/]*$/, '')}@${digest}`;
}
