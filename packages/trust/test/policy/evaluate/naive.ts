import type { OnInconclusive, PolicyMode, TreeMode } from '@bulla/trust/policy/document';

// A second evaluator, written from docs/policy.md alone and without regard to speed, explanations or
// what the product does: by trying everything. It must not share code with what it is compared to.

export type Truth = 'yes' | 'no' | 'unknown';

/** A piece of evidence that was verified: for which authority, made by whose keys, when. */
export interface Piece {
  readonly authority: string;
  readonly type: 'signature' | 'statement';
  readonly keys: readonly string[];
  /** Minutes ago, by a trusted time; null without one. */
  readonly age: number | null;
  /** Statements: whether it says what is wanted, and which statement it is. */
  readonly good: boolean;
  readonly text: string;
}

export interface Node {
  readonly name: string;
  /** Null for an image; else the children, by name. */
  readonly children: readonly string[] | null;
  readonly pieces: readonly Piece[];
  /** `away`: some evidence could not be fetched; `limit`: some was not looked at. */
  readonly trouble: { readonly [type in Piece['type']]: 'none' | 'away' | 'limit' };
}

export interface World {
  readonly root: string;
  readonly nodes: ReadonlyMap<string, Node>;
  /** Nodes that the registry does not answer for. */
  readonly unreachable: ReadonlySet<string>;
  readonly parents: readonly string[];
}

export type Rule =
  | { readonly rule: 'all' | 'any'; readonly parts: readonly Rule[] }
  | { readonly rule: 'atLeast'; readonly n: number; readonly parts: readonly Rule[] }
  | {
      readonly rule: Piece['type'];
      readonly of: readonly string[];
      readonly n: number;
      readonly maxAge: number | null;
      readonly isGood: boolean;
    };

type Clause = Extract<Rule, { readonly of: unknown }>;

export function atLeast(n: number, truths: readonly Truth[]): Truth {
  const yes = truths.filter((truth) => truth === 'yes').length;
  const unknown = truths.filter((truth) => truth === 'unknown').length;
  return yes >= n ? 'yes' : yes + unknown >= n ? 'unknown' : 'no';
}

export const every = (truths: readonly Truth[]): Truth =>
  truths.length === 0 || truths.includes('no') ? 'no' : atLeast(truths.length, truths);
export const some = (truths: readonly Truth[]): Truth => atLeast(1, truths);

/** "The newest by trusted time decides, and any failing one of the same time fails." */
function satisfied(clause: Clause, pieces: readonly Piece[]): readonly Piece[] {
  if (clause.rule === 'signature') return pieces;
  const aged = pieces.map((piece) => {
    const same = pieces.filter(({ text, age }) => text === piece.text && age !== null);
    // The same statement, stamped anew, is no newer; a workflow's certificate dates it by itself.
    const first = piece.authority.startsWith('key')
      ? Math.max(...same.map(({ age }) => age ?? 0))
      : piece.age;
    return { ...piece, age: piece.age === null ? null : first };
  });
  const newest = Math.min(...aged.map(({ age }) => age ?? Number.POSITIVE_INFINITY));
  const deciding = aged.filter(({ age }) => age === null || age === newest);
  const holds = ({ good, age }: Piece) =>
    (good || !clause.isGood) && (clause.maxAge === null || (age !== null && age <= clause.maxAge));
  return deciding.every(holds) ? deciding : [];
}

/** The most authorities that can each be given a principal of their own: by trying all ways. */
function most(choices: readonly (readonly string[])[], taken: readonly string[] = []): number {
  const [first, ...rest] = choices;
  if (first === undefined) return 0;
  const used = first
    .filter((one) => !taken.includes(one))
    .map((one) => 1 + most(rest, [...taken, one]));
  return Math.max(most(rest, taken), ...used);
}

function atNode(clause: Clause, { pieces, trouble }: Node): Truth {
  const behind = clause.of.map((name) =>
    satisfied(
      clause,
      pieces.filter(({ authority, type }) => authority === name && type === clause.rule),
    ),
  );
  // Keys that occur together in one piece are one principal, through any chain.
  const groups = behind.flat().map(({ keys }) => new Set(keys));
  for (const one of groups)
    for (const _ of groups)
      for (const other of groups)
        if ([...other].some((key) => one.has(key))) for (const key of other) one.add(key);
  const names = groups.map((group) => [...group].sort().join());
  let at = 0;
  const count = most(behind.map((found) => found.map(() => names[at++] ?? '')));
  const state = trouble[clause.rule];
  const isStatement = clause.rule === 'statement';
  if (count >= clause.n) {
    return isStatement && state !== 'none' ? (state === 'away' ? 'unknown' : 'no') : 'yes';
  }
  const away = behind.filter((found) => found.length === 0).length;
  return state === 'away' && count + away >= clause.n ? 'unknown' : 'no';
}

/** The table of "Multi-arch images". */
function onTree(clause: Clause, tree: TreeMode, world: World): Truth {
  const walk = (name: string): Truth => {
    if (world.unreachable.has(name)) return 'unknown';
    const node = world.nodes.get(name);
    if (node === undefined) return 'no';
    const own = atNode(clause, node);
    if (node.children === null || tree === 'named' || tree === 'index') return own;
    const leaves = every(node.children.map(walk));
    return tree === 'leaf' ? leaves : tree === 'any' ? some([own, leaves]) : every([own, leaves]);
  };
  const own = walk(world.root);
  const isLeaf = (world.nodes.get(world.root)?.children ?? []).length === 0;
  if (world.parents.length === 0 || tree === 'leaf' || (tree === 'both' && !isLeaf)) return own;
  const through = some(
    world.parents.map((name) => {
      if (world.unreachable.has(name)) return 'unknown';
      const parent = world.nodes.get(name);
      return parent?.children?.includes(world.root) ? atNode(clause, parent) : 'no';
    }),
  );
  if (tree === 'both') return every([own, through]);
  return tree === 'index' && isLeaf ? through : some([own, through]);
}

/** Names of the clauses of a rule, as docs/policy.md gives them: "Exceptions". */
export function namesOf(rule: Rule, name = 'require'): readonly string[] {
  if ('of' in rule) return [name];
  const list = rule.rule === 'atLeast' ? 'of' : rule.rule;
  return [name, ...rule.parts.flatMap((part, at) => namesOf(part, `${name}.${list}[${at}]`))];
}

/** `lifted`: the clauses that count as satisfied whatever was found. */
export function holds(
  rule: Rule,
  tree: TreeMode,
  world: World,
  lifted: readonly string[] = [],
  name = 'require',
): Truth {
  if (lifted.includes(name)) return 'yes';
  if ('of' in rule) return onTree(rule, tree, world);
  const list = rule.rule === 'atLeast' ? 'of' : rule.rule;
  const truths = rule.parts.map((part, at) =>
    holds(part, tree, world, lifted, `${name}.${list}[${at}]`),
  );
  if (rule.rule === 'atLeast') return atLeast(rule.n, truths);
  return rule.rule === 'all' ? every(truths) : some(truths);
}

/** "Modes" and "What cannot be reached". */
export function effect(
  truth: Truth,
  mode: PolicyMode,
  onInconclusive: OnInconclusive,
  lastPassAge: number | null,
): 'pass' | 'warn' | 'audit' | 'deny' {
  if (truth === 'yes') return 'pass';
  const stands =
    truth === 'unknown' &&
    typeof onInconclusive === 'object' &&
    lastPassAge !== null &&
    lastPassAge <= onInconclusive.lastKnownGood.maxAgeMs;
  if (stands) return 'pass';
  return mode === 'enforce' ? 'deny' : mode;
}
