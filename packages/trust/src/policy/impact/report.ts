import { IMPACTS, type ImageImpact, type Impact, type PolicyImpact } from './judge.ts';

/** What a change does to one image, and where that image is. */
export interface ImpactedImage extends Omit<ImageImpact, 'covers'> {
  /** Canonical `registry/repository`. */
  readonly repository: string;
  readonly digest: string;
  readonly tags: readonly string[];
  /** Where it runs: containers of a cluster, or admissions of the last days. */
  readonly running: readonly string[];
  /** Whether somebody may start it: a tag leads to it, or it was pulled. */
  readonly deployable: boolean;
  /** Why it cannot be told; null where it can. */
  readonly why: string | null;
  /** The newest decision about it; null where none was looked at. */
  readonly lastDecision: string | null;
}

/** So many images of each class; of those that are lost, so many run and are deployable. */
export interface ImpactTotals {
  readonly images: number;
  readonly byImpact: Readonly<Record<Impact, number>>;
  readonly lostRunning: number;
  readonly lostDeployable: number;
}

/**
 * One entry for each repository and digest, the worst first. What was asked about in several places is
 * what it is in the worst of them, and each policy is told of once.
 */
export function mergeImpacts(images: readonly ImpactedImage[]): readonly ImpactedImage[] {
  const found = new Map<string, ImpactedImage>();
  for (const image of images) {
    const key = `${image.repository}@${image.digest}`;
    const known = found.get(key);
    found.set(key, known === undefined ? image : merged(known, image));
  }
  return [...found.values()].toSorted(
    (a, b) =>
      rankOf(a.impact) - rankOf(b.impact) ||
      b.running.length - a.running.length ||
      (`${a.repository}@${a.digest}` < `${b.repository}@${b.digest}` ? -1 : 1),
  );
}

function merged(one: ImpactedImage, other: ImpactedImage): ImpactedImage {
  const policies = new Map<string, PolicyImpact>();
  for (const policy of [...one.policies, ...other.policies]) {
    const known = policies.get(policy.policy);
    const isWorse = known === undefined || rankOf(policy.impact) < rankOf(known.impact);
    if (isWorse) policies.set(policy.policy, policy);
  }
  const impact = rankOf(one.impact) <= rankOf(other.impact) ? one.impact : other.impact;
  return {
    repository: one.repository,
    digest: one.digest,
    impact,
    policies: [...policies.values()],
    tags: union(one.tags, other.tags),
    running: union(one.running, other.running),
    deployable: one.deployable || other.deployable,
    why: one.why ?? other.why,
    lastDecision: [one.lastDecision, other.lastDecision].toSorted().at(-1) ?? null,
  };
}

function union(one: readonly string[], other: readonly string[]): readonly string[] {
  return [...new Set([...one, ...other])].toSorted();
}

function rankOf(impact: Impact): number {
  return IMPACTS.indexOf(impact);
}

/** How many images the change does what to. */
export function impactTotals(images: readonly ImpactedImage[]): ImpactTotals {
  const count = (matches: (image: ImpactedImage) => boolean) => images.filter(matches).length;
  const of = (impact: Impact) => count((image) => image.impact === impact);
  const lost = images.filter(({ impact }) => impact === 'lost');
  return {
    images: images.length,
    byImpact: {
      lost: of('lost'),
      unknown: of('unknown'),
      'at-risk': of('at-risk'),
      refused: of('refused'),
      gained: of('gained'),
      kept: of('kept'),
    },
    lostRunning: lost.filter(({ running }) => running.length > 0).length,
    lostDeployable: lost.filter(({ deployable }) => deployable).length,
  };
}
