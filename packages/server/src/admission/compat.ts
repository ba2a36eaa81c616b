import { printable } from '@bulla/trust/fault/fault';
import { writePath } from '@bulla/trust/images/field-path';
import type { Clause, Offence } from './judge.ts';

/** What policy-controller says in place of a code, by the code or the area of it that begins it. */
const FRAGMENTS: readonly (readonly [RegExp, string])[] = [
  [/^policy\.(?:none|no-match)$/, 'no matching policies'],
  [/^(?:admission\.tag-unpinned|policy\.tag-refused)$/, 'must be an image digest'],
  [/^policy\.static/, 'disallowed by static policy'],
  [
    /^proof\.identity-mismatch$/,
    'none of the expected identities matched what was in the certificate',
  ],
  [/^(?:proof\.log-missing|tlog\.)/, 'signature not found in transparency log'],
  [/^(?:statement|predicate)\./, 'no matching attestations'],
  [/^signature\.none$/, 'no signatures found'],
  [
    /^(?:signature|proof|x509|dsse|bundle|cosign-legacy|payload|crypto|policy\.threshold-not-met)(?:\.|$)/,
    'no matching signatures',
  ],
];

/**
 * What a test written for policy-controller looks for in a denial (enforcement reference, section 6),
 * one line for each clause that has a fragment.
 */
export function compatLines({ clauses, places, reference }: Offence): readonly string[] {
  const [place] = places;
  const path = place === undefined ? '' : writePath(place.path);
  const name = reference === null ? '' : ` ${printable(reference)}`;
  return clauses.flatMap((clause) => {
    const fragment = fragmentOf(clause);
    if (fragment === null) return [];
    const policy = clause.policy === null ? '' : `failed policy: ${printable(clause.policy)}: `;
    return [`validation failed: ${policy}${path}${name} ${fragment}`];
  });
}

function fragmentOf({ code }: Clause): string | null {
  return FRAGMENTS.find(([pattern]) => pattern.test(code))?.[1] ?? null;
}
