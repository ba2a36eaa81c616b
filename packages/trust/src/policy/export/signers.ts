import { encodePem } from '../../bytes/pem.ts';
import { publicKeyPem } from '../../crypto/public-key.ts';
import { covers } from '../../crypto/validity-period.ts';
import type { TrustedRoot } from '../../trust-root/trusted-root.ts';
import type { KeylessAuthoritySpec, Requirement, SignedRequirement } from '../document.ts';
import type { ReadyAuthority, ReadyPolicy } from '../policy-set.ts';

/** One signature that must be there: by any of some keys, or by one identity. */
export type SignerClause =
  | {
      readonly kind: 'keys';
      readonly pems: readonly string[];
      /** PEM of the logs' keys; one of them must have promised the entry. Empty: no log. */
      readonly rekor: readonly string[];
    }
  | {
      readonly kind: 'fulcio';
      readonly roots: readonly string[];
      readonly issuer: string;
      readonly email: string;
      readonly rekor: readonly string[];
    };

/** Clauses that must all hold, or what cannot be said. */
export type SignerClauses = { readonly all: readonly SignerClause[] } | { readonly unsaid: string };

/**
 * What a policy asks for as signatures alone, all of which must be there. A clause that
 * containers-policy.json(5) has no words for makes the whole unsaid: thresholds, attestations,
 * patterns of identities, nodes of a tree above the image itself, rules about tags.
 */
export function clausesOf(policy: ReadyPolicy, at: Date): SignerClauses {
  const { tags, tree, rollback, require } = policy.document;
  if (tags === 'refuse') return { unsaid: 'tags: refuse' };
  if (rollback === 'refuse') return { unsaid: 'rollback: refuse' };
  // containers/image looks at the signature of the one platform's image that it takes.
  if (tree !== 'any' && tree !== 'leaf') return { unsaid: `tree: ${tree}` };
  return requirementClauses(require, policy, at);
}

function requirementClauses(require: Requirement, policy: ReadyPolicy, at: Date): SignerClauses {
  switch (require.kind) {
    case 'signed':
      return signedClauses(require, policy, at);
    case 'attested':
      return { unsaid: `attested: ${require.type}` };
    default: {
      const parts = require.parts.map((part) => requirementClauses(part, policy, at));
      const least =
        require.kind === 'all' ? parts.length : require.kind === 'any' ? 1 : require.atLeast;
      if (least === parts.length) return allOf(parts);
      return least === 1 ? anyOf(parts) : { unsaid: `atLeast: ${least} of ${parts.length}` };
    }
  }
}

function signedClauses(
  { of, atLeast, annotations }: SignedRequirement,
  policy: ReadyPolicy,
  at: Date,
): SignerClauses {
  if (Object.keys(annotations).length > 0) return { unsaid: 'annotations of a signature' };
  const parts = of.map((name) => authorityClause(name, policy, at));
  if (atLeast < parts.length) {
    return atLeast === 1 ? anyOf(parts) : { unsaid: `atLeast: ${atLeast} of ${parts.length}` };
  }
  const all = allOf(parts);
  if ('unsaid' in all) return all;
  // Semantics 8: one key counts for one authority; there it would satisfy the clause of each.
  const signers = all.all.flatMap((clause) =>
    clause.kind === 'keys' ? clause.pems : [`${clause.issuer} ${clause.email}`],
  );
  const isDistinct = new Set(signers).size === signers.length;
  return isDistinct ? all : { unsaid: 'two authorities of one key or identity' };
}

function allOf(parts: readonly SignerClauses[]): SignerClauses {
  const unsaid = parts.find((part) => 'unsaid' in part);
  if (unsaid !== undefined) return unsaid;
  return { all: parts.flatMap((part) => ('all' in part ? part.all : [])) };
}

/** Only keys that ask for the same log can stand in one list. */
function anyOf(parts: readonly SignerClauses[]): SignerClauses {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const unsaid = parts.find((part) => 'unsaid' in part);
  if (unsaid !== undefined) return unsaid;
  const clauses = parts.flatMap((part) => ('all' in part && part.all.length === 1 ? part.all : []));
  const keys = clauses.flatMap((clause) => (clause.kind === 'keys' ? [clause] : []));
  const [first] = keys;
  const alike = keys.every(({ rekor }) => `${rekor}` === `${first?.rekor}`);
  if (first === undefined || keys.length < parts.length || !alike) {
    return { unsaid: 'any of several signers that are not keys under the same log' };
  }
  const pems = [...new Set(keys.flatMap((clause) => clause.pems))];
  return { all: [{ kind: 'keys', pems, rekor: first.rekor }] };
}

function authorityClause(name: string, policy: ReadyPolicy, at: Date): SignerClauses {
  const spec = policy.document.authorities[name];
  const ready = policy.authorities.get(name);
  if (spec === undefined || ready === undefined) return { unsaid: `authority ${name}` };
  if (spec.kind === 'keyless') return keylessClause(spec, ready, at);
  if (ready.authority?.kind !== 'key') return { unsaid: `authority ${name} of kind ${spec.kind}` };
  const { trustRoot, log } = ready.requirements;
  const asked = trustRoot !== null && log && trustRoot.tlogs.length > 0;
  const rekor = asked ? rekorKeys(trustRoot, at) : [];
  if (asked && rekor.length === 0) return { unsaid: 'a log whose promises are not ECDSA' };
  return { all: [{ kind: 'keys', pems: [publicKeyPem(ready.authority.key)], rekor }] };
}

const EMAIL = /^[^\s@]+@[^\s@]+$/;

function keylessClause(
  { issuer, subject, claims }: KeylessAuthoritySpec,
  { requirements }: ReadyAuthority,
  at: Date,
): SignerClauses {
  const { trustRoot, log, sct } = requirements;
  if (!('exact' in issuer) || !('exact' in subject)) return { unsaid: 'a pattern of identities' };
  if (!EMAIL.test(subject.exact)) return { unsaid: 'an identity that is no e-mail address' };
  if (Object.keys(claims).length > 0) return { unsaid: 'claims of a certificate' };
  // containers/image does not look for one (signature/fulcio_cert.go).
  if (sct) return { unsaid: 'an SCT of the certificate' };
  if (!log || trustRoot === null) return { unsaid: 'a certificate without a log entry' };
  const rekor = rekorKeys(trustRoot, at);
  const roots = trustRoot.certificateAuthorities
    .filter(({ validFor }) => covers(validFor, at))
    .flatMap(({ chain }) => chain.slice(-1))
    .map(({ raw }) => encodePem('CERTIFICATE', raw));
  if (rekor.length === 0) return { unsaid: 'a log whose promises are not ECDSA' };
  if (roots.length === 0) return { unsaid: 'a certificate authority that is valid now' };
  const identity = { issuer: issuer.exact, email: subject.exact };
  return { all: [{ kind: 'fulcio', roots: [...new Set(roots)], ...identity, rekor }] };
}

/** Keys of logs that sign promises (SET) as containers/image checks them: ECDSA, and valid now. */
function rekorKeys({ tlogs }: TrustedRoot, at: Date): readonly string[] {
  const usable = tlogs.filter(
    ({ key, validFor }) => key.kind.startsWith('ecdsa-') && covers(validFor, at),
  );
  return [...new Set(usable.map(({ key }) => publicKeyPem(key)))].toSorted();
}
