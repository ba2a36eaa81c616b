import { TrustFault } from '../fault/fault.ts';
import { type Finding, inconclusive } from '../finding/finding.ts';
import type { Digest } from '../oci/digest.ts';
import type { StoredManifest } from '../oci/store.ts';
import type { FoundEvidence } from '../proof/evidence.ts';
import type { Dossier, DossierNode } from './dossier.ts';
import { type Gathering, gatheringKey, type Material } from './material.ts';

/** Material that keeps all that is taken from it. */
export interface RecordedMaterial extends Material {
  /** Keeps a manifest that was fetched otherwise, as a root is by its tag. */
  keep(stored: StoredManifest): void;
  /** What was taken so far; outages of a whole node are not kept, so that they are asked again. */
  nodes(): readonly DossierNode[];
}

interface KeptNode {
  readonly digest: Digest;
  readonly stored: Omit<StoredManifest, 'digest'> | null;
  readonly gathered: Map<string, { readonly gathering: Gathering; readonly found: FoundEvidence }>;
}

/** The material with everything that a decision takes from it kept for a dossier. */
export function recordedMaterial(material: Material): RecordedMaterial {
  const kept = new Map<Digest, KeptNode>();
  const note = (digest: Digest, stored: StoredManifest | null): void => {
    if (kept.has(digest)) return;
    const without = stored && { mediaType: stored.mediaType, bytes: stored.bytes };
    kept.set(digest, { digest, stored: without, gathered: new Map() });
  };
  return {
    async node(digest) {
      const stored = await material.node(digest);
      note(digest, stored);
      return stored;
    },
    async evidence(digest, gathering) {
      const found = await material.evidence(digest, gathering);
      kept.get(digest)?.gathered.set(gatheringKey(gathering), { gathering, found });
      return found;
    },
    keep: (stored) => note(stored.digest, stored),
    nodes: () => [...kept.values()].map(nodeOf).toSorted((a, b) => (a.digest < b.digest ? -1 : 1)),
  };
}

function nodeOf({ digest, stored, gathered }: KeptNode): DossierNode {
  const keys = [...gathered.keys()].sort();
  return {
    digest,
    stored,
    gathered: keys.flatMap((key) => {
      const entry = gathered.get(key);
      return entry === undefined ? [] : [{ gathering: entry.gathering, ...entry.found }];
    }),
  };
}

/** Material from a dossier: what it never gathered is inconclusive (`dossier.incomplete`). */
export function dossierMaterial(dossier: Dossier): Material {
  const nodes = new Map(dossier.nodes.map((node) => [node.digest, node]));
  return {
    async node(digest) {
      const node = nodes.get(digest);
      if (node === undefined) {
        throw new TrustFault('dossier.incomplete', `the stored evidence lacks ${digest}`);
      }
      return node.stored === null ? null : { digest, ...node.stored };
    },
    async evidence(digest, gathering) {
      const key = gatheringKey(gathering);
      const found = nodes
        .get(digest)
        ?.gathered.find((entry) => gatheringKey(entry.gathering) === key);
      return found ?? { evidence: [], problems: [neverGathered(digest, key)] };
    },
  };
}

function neverGathered(digest: Digest, key: string): Finding {
  const says = `the stored evidence of ${digest} was gathered for other questions than ${key}`;
  return inconclusive('evidence', 'dossier.incomplete', says);
}
