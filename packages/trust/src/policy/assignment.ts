/** One piece of evidence that satisfied one authority. */
export interface AuthorityPass {
  readonly authority: string;
  /**
   * Every id that stands behind the evidence: `key:<SHA-256 of the SPKI>`,
   * `identity:<issuer>|<subject>`, a certificate's digest. Without any it counts for nobody.
   */
  readonly principals: readonly string[];
}

/**
 * How many distinct authorities the evidence satisfies when one key, certificate or identity counts
 * for one authority only (semantics 8). Pieces of evidence that share any id have one principal
 * behind them, through any chain of sharing; of all ways to give principals to authorities the one
 * that satisfies most decides. Takes O(n √n) for n passes.
 */
export function countAuthorities(passes: readonly AuthorityPass[]): number {
  const groups = groupPrincipals(passes);
  const edges = new Map<string, Set<number>>();
  for (const { authority, principals } of passes) {
    const [first] = principals;
    const group = first === undefined ? undefined : groups.get(first);
    if (group === undefined) continue;
    const known = edges.get(authority) ?? new Set();
    edges.set(authority, known.add(group));
  }
  return largestMatching([...edges.values()].map((choices) => [...choices]));
}

/** Each id → the number of its principal: ids that occur together are one (union-find). */
function groupPrincipals(passes: readonly AuthorityPass[]): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  const parents: number[] = [];
  for (const { principals } of passes) {
    let joined: number | null = null;
    for (const id of principals) {
      const known = numbers.get(id);
      const own: number = known ?? parents.length;
      if (known === undefined) {
        numbers.set(id, own);
        parents.push(own);
      }
      const root = rootOf(parents, own);
      if (joined === null) joined = root;
      else parents[root] = joined;
    }
  }
  return new Map([...numbers].map(([id, own]) => [id, rootOf(parents, own)]));
}

function rootOf(parents: number[], start: number): number {
  let at = start;
  for (;;) {
    const parent = parents[at] ?? at;
    if (parent === at) return at;
    // Halving the path keeps later searches short.
    parents[at] = parents[parent] ?? parent;
    at = parent;
  }
}

/**
 * The size of a largest matching between authorities and principals (Hopcroft and Karp 1973).
 * `choices` holds the principals of each authority.
 */
function largestMatching(choices: readonly (readonly number[])[]): number {
  const holders = new Map<number, number>();
  const chosen = new Array<number | null>(choices.length).fill(null);
  let size = 0;
  for (;;) {
    const layers = layerAuthorities(choices, chosen, holders);
    if (layers === null) return size;
    for (const [authority, held] of chosen.entries()) {
      if (held === null && augment(authority, choices, chosen, holders, layers)) size++;
    }
  }
}

/** Distance of each authority from a free one by alternating paths; null when no path ends free. */
function layerAuthorities(
  choices: readonly (readonly number[])[],
  chosen: readonly (number | null)[],
  holders: ReadonlyMap<number, number>,
): number[] | null {
  const layers: number[] = chosen.map((held) => (held === null ? 0 : -1));
  const queue = [...layers.keys()].filter((authority) => layers[authority] === 0);
  let open = false;
  for (const authority of queue) {
    for (const principal of choices[authority] ?? []) {
      const holder = holders.get(principal);
      if (holder === undefined) open = true;
      else if (layers[holder] === -1) {
        layers[holder] = (layers[authority] ?? 0) + 1;
        queue.push(holder);
      }
    }
  }
  return open ? layers : null;
}

/** Gives `authority` a principal, moving others along the layers; each is visited once a phase. */
function augment(
  authority: number,
  choices: readonly (readonly number[])[],
  chosen: (number | null)[],
  holders: Map<number, number>,
  layers: number[],
): boolean {
  const layer = layers[authority] ?? -1;
  layers[authority] = -1;
  for (const principal of choices[authority] ?? []) {
    const holder = holders.get(principal);
    const next = holder === undefined ? -1 : (layers[holder] ?? -1);
    const reachable = holder === undefined || (layer !== -1 && next === layer + 1);
    if (!reachable) continue;
    if (holder !== undefined && !augment(holder, choices, chosen, holders, layers)) continue;
    holders.set(principal, authority);
    chosen[authority] = principal;
    return true;
  }
  return false;
}
