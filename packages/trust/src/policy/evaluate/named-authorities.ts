import { quote, TrustFault } from '../../fault/fault.ts';
import { failed } from '../../finding/finding.ts';
import type { ReadyAuthority, ReadyPolicy } from '../policy-set.ts';
import type { Proven, Share } from './proven.ts';
import type { NodeProof } from './proven-tree.ts';

/**
 * The authorities of a clause, each once: one that is named twice counts once (semantics 8). Throws
 * `internal.defect` for a name that the policy does not have, which its loader refuses.
 */
export function namedAuthorities(
  { authorities, document }: ReadyPolicy,
  names: readonly string[],
): readonly ReadyAuthority[] {
  return [...new Set(names)].map((name) => {
    const found = authorities.get(name);
    if (found !== undefined) return found;
    throw new TrustFault(
      'internal.defect',
      `the policy ${quote(document.name)} names no authority ${quote(name)}`,
    );
  });
}

/** A node's proof as these authorities share it; a kind that cannot be proved yet fails. */
export function provenFor(proof: NodeProof, authorities: readonly ReadyAuthority[]): Proven {
  return {
    shares: authorities.map((authority) => shareOf(proof, authority)),
    pieces: proof.pieces,
    problems: proof.problems,
  };
}

function shareOf(proof: NodeProof, authority: ReadyAuthority): Share {
  const { name, kind, refusal } = authority;
  if (authority.authority !== null) {
    return { name, answers: proof.answersOf(authority), unsupported: null };
  }
  if (refusal !== undefined) {
    const unsupported = failed(
      'authority',
      'policy.static',
      `disallowed by static policy: ${refusal}`,
    );
    return { name, answers: [], unsupported };
  }
  const says = `${name} is of the kind ${kind}, which this release parses and cannot prove`;
  const unsupported = failed('authority', 'policy.authority-unsupported', says, 'semantics 2');
  return { name, answers: [], unsupported };
}
