import { printable, quote, TrustFault } from '../../fault/fault.ts';
import type { ReadyAuthority } from '../policy-set.ts';

/** An identity as a certificate names it; without an issuer the subject of whichever issuer. */
export interface IdentityName {
  readonly subject: string;
  readonly issuer: string | null;
}

/** One change of whom policies trust. */
export type TrustChange =
  /** The id of a key (SHA-256 of its SPKI in hex), or the name of an authority. */
  | { readonly kind: 'retire-key'; readonly key: string }
  /** What `from` signs stops to count, what `to` signs counts in its place. */
  | { readonly kind: 'rename-identity'; readonly from: IdentityName; readonly to: IdentityName }
  /** The name of a trust root, or of an authority or log that one names. */
  | { readonly kind: 'retire-root'; readonly root: string };

/** What a change makes of one authority: nothing (null), nobody, or somebody else. */
export type ChangedAuthority = ReadyAuthority | 'gone' | null;

/**
 * An identity as people write it: `SUBJECT`, or `ISSUER|SUBJECT` where the issuer is a URL. Throws
 * `usage.invalid` for an empty one.
 */
export function parseIdentityName(text: string): IdentityName {
  const [, issuer, rest] = /^(https?:\/\/[^|]+)\|(.*)$/s.exec(text) ?? [];
  const subject = rest ?? text;
  if (subject !== '') return { subject, issuer: issuer ?? null };
  throw new TrustFault(
    'usage.invalid',
    `expected an identity, SUBJECT or ISSUER|SUBJECT, found ${quote(text)}`,
  );
}

/** A change in a few words. */
export function changeText(change: TrustChange): string {
  switch (change.kind) {
    case 'retire-key':
      return `the key ${printable(change.key)} is retired`;
    case 'rename-identity':
      return `the identity ${identityText(change.from)} becomes ${identityText(change.to)}`;
    case 'retire-root':
      return `the trust root ${printable(change.root)} is retired`;
    default:
      return change satisfies never;
  }
}

function identityText({ subject, issuer }: IdentityName): string {
  return printable(issuer === null ? subject : `${subject} of ${issuer}`);
}
