import { type Finding, failed } from '../finding/finding.ts';
import type { Digest } from '../oci/digest.ts';
import type { StoredManifest } from '../oci/store.ts';
import { askedBy, wantedKey } from '../policy/evaluate/asked.ts';
import type { NodeProof, ProvenNode, ProvenTree } from '../policy/evaluate/proven-tree.ts';
import { childrenOf } from '../policy/evaluate/tree.ts';
import type { ReadyAuthority, ReadyPolicy } from '../policy/policy-set.ts';
import type { Authority } from '../proof/authority.ts';
import type { AuthorityAnswer, FoundEvidence, Wanted } from '../proof/evidence.ts';
import { answerAll, type Patience } from '../verify/gather.ts';
import { gatheringKey, gatheringOf, type Material, remembered } from './material.ts';

/** What evidence is proved for and by. */
export interface Proving {
  readonly material: Material;
  /** Their authorities are answered for, all at once. */
  readonly policies: readonly ReadyPolicy[];
  readonly at: Date;
  /** Shared by all nodes and questions of one decision. */
  readonly patience: Patience;
}

/** An authority that a format can prove. */
interface ProvableAuthority {
  readonly ready: ReadyAuthority;
  readonly authority: Authority;
}

/**
 * A tree whose evidence is gathered and proved when it is first asked for, once for each node and
 * question, whatever policies ask. `root` is at hand, or a finding says why not.
 */
export function provenTree(
  root: StoredManifest | Finding,
  parents: readonly Digest[],
  proving: Proving,
): ProvenTree {
  const authorities = authoritiesByQuestion(proving.policies);
  const nodes = new Map<Digest, Promise<ProvenNode | null>>();
  const nodeOf = (stored: StoredManifest) => provenNode(stored, authorities, proving);
  const isFinding = 'outcome' in root;
  const rootNode = isFinding ? root : nodeOf(root);
  if (!isFinding && 'digest' in rootNode) nodes.set(root.digest, Promise.resolve(rootNode));
  return {
    root: rootNode,
    parents,
    node: (digest) =>
      remembered(nodes, digest, async () => {
        const stored = await proving.material.node(digest);
        return stored === null ? null : nodeOf(stored);
      }),
  };
}

/** All authorities that any policy asks a question about. */
function authoritiesByQuestion(
  policies: readonly ReadyPolicy[],
): ReadonlyMap<string, readonly ProvableAuthority[]> {
  const found = new Map<string, Map<ReadyAuthority, ProvableAuthority>>();
  for (const { wanted, authorities } of policies.flatMap(askedBy)) {
    const known = remembered(found, wantedKey(wanted), () => new Map());
    for (const ready of authorities) {
      const { authority } = ready;
      if (authority !== null) known.set(ready, { ready, authority });
    }
  }
  return new Map([...found].map(([key, known]) => [key, [...known.values()]]));
}

function provenNode(
  stored: StoredManifest,
  authorities: ReadonlyMap<string, readonly ProvableAuthority[]>,
  proving: Proving,
): ProvenNode {
  const found = new Map<string, Promise<FoundEvidence>>();
  const proofs = new Map<string, Promise<NodeProof>>();
  let children: ReturnType<typeof childrenOf> | undefined;
  return {
    digest: stored.digest,
    children() {
      if (children === undefined) children = childrenOf(stored);
      return children;
    },
    proof: (wanted) =>
      remembered(proofs, wantedKey(wanted), async () => {
        const gathering = gatheringOf(wanted);
        const gathered = await remembered(found, gatheringKey(gathering), () =>
          proving.material.evidence(stored.digest, gathering),
        );
        return prove(stored, wanted, gathered, authorities.get(wantedKey(wanted)) ?? [], proving);
      }),
  };
}

/** Every piece proved for every authority: those of one trust root and one set of switches at once. */
async function prove(
  { digest, bytes }: StoredManifest,
  wanted: Wanted,
  { evidence, problems }: FoundEvidence,
  authorities: readonly ProvableAuthority[],
  { at, patience }: Proving,
): Promise<NodeProof> {
  const answers = new Map<ReadyAuthority, readonly AuthorityAnswer[]>();
  let verified = evidence.length;
  for (const group of groupedByRequirements(authorities)) {
    const [first] = group;
    if (first === undefined) continue;
    const question = {
      artifact: { digest, bytes },
      wanted,
      authorities: group.map(({ authority }) => authority),
      requirements: { ...first.ready.requirements, at },
    };
    const pieces = await answerAll(evidence, question, patience);
    verified = Math.min(verified, pieces.length);
    for (const [index, { ready }] of group.entries()) {
      answers.set(
        ready,
        pieces.flatMap((piece) => piece[index] ?? []),
      );
    }
  }
  return {
    pieces: evidence.length,
    problems: [...problems, ...unverified(evidence.length, verified)],
    answersOf: (authority) => answers.get(authority) ?? [],
  };
}

function unverified(found: number, verified: number): readonly Finding[] {
  if (verified === found) return [];
  const says = `${found} pieces of evidence, of which ${verified} were verified in the time that all may take`;
  return [failed('evidence', 'signature.limit', says)];
}

function groupedByRequirements(
  authorities: readonly ProvableAuthority[],
): readonly (readonly ProvableAuthority[])[] {
  const groups = new Map<string, ProvableAuthority[]>();
  for (const authority of authorities) {
    const { trustRoot, log, sct, timestamp } = authority.ready.requirements;
    const root = trustRoot === null ? null : [trustRoot.name, trustRoot.digest];
    remembered(groups, JSON.stringify([root, log, sct, timestamp]), () => []).push(authority);
  }
  return [...groups.values()];
}
