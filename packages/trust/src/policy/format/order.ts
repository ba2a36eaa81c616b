import { isMap, isNode, isScalar, isSeq, type Pair, type YAMLMap } from 'yaml';

/** Members of a policy's maps in the order of the documentation; unknown ones come after them. */
const ORDER = {
  document: ['apiVersion', 'kind', 'metadata', 'spec'],
  metadata: ['name', 'labels', 'annotations'],
  spec: [
    ...['description', 'images', 'exclude', 'surfaces', 'namespaces', 'environments', 'mode'],
    ...['onInconclusive', 'tags', 'tree', 'rollback', 'trustRoots', 'authorities', 'require'],
    'exceptions',
  ],
  key: ['ref', 'pem', 'trustRoot', 'proof'],
  keyless: ['issuer', 'subject', 'claims', 'trustRoot', 'proof'],
  proof: ['log', 'sct', 'timestamp'],
  threshold: ['atLeast', 'of'],
  signed: ['atLeast', 'of', 'annotations'],
  attested: [
    ...['type', 'by', 'atLeast', 'where', 'maxAge', 'time', 'vulnerabilities', 'provenance'],
    'sbom',
  ],
  vulnerabilities: ['critical', 'high', 'medium', 'low', 'unknown', 'vexBy'],
  provenance: ['builder', 'sourceRepository', 'branch'],
  exceptions: ['approvers', 'maxDuration', 'maxScope', 'breakGlass'],
  breakGlass: ['keys', 'maxDuration'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/**
 * Puts the members of a policy's root node, and of the maps within, into their order. Maps whose
 * keys their writer chose (authorities, labels, claims) and lists keep theirs: they mean nothing, or
 * mean what they say.
 */
export function orderMembers(root: unknown): void {
  if (!isMap(root)) return;
  sort(root, ORDER.document);
  sort(root.get('metadata', true), ORDER.metadata);
  const spec: unknown = root.get('spec', true);
  if (!isMap(spec)) return;
  sort(spec, ORDER.spec);
  const authorities: unknown = spec.get('authorities', true);
  if (isMap(authorities)) for (const { value } of authorities.items) orderAuthority(value);
  orderRequirement(spec.get('require', true));
  const exceptions: unknown = spec.get('exceptions', true);
  sort(exceptions, ORDER.exceptions);
  if (isMap(exceptions)) sort(exceptions.get('breakGlass', true), ORDER.breakGlass);
}

function orderAuthority(authority: unknown): void {
  if (!isMap(authority)) return;
  for (const kind of ['key', 'keyless'] as const) {
    const spec: unknown = authority.get(kind, true);
    sort(spec, ORDER[kind]);
    if (isMap(spec)) sort(spec.get('proof', true), ORDER.proof);
  }
}

function orderRequirement(requirement: unknown): void {
  if (!isMap(requirement)) return;
  sort(requirement, ORDER.threshold);
  sort(requirement.get('signed', true), ORDER.signed);
  const attested: unknown = requirement.get('attested', true);
  if (isMap(attested)) {
    sort(attested, ORDER.attested);
    sort(attested.get('vulnerabilities', true), ORDER.vulnerabilities);
    sort(attested.get('provenance', true), ORDER.provenance);
  }
  for (const list of ['all', 'any', 'of']) {
    const parts: unknown = requirement.get(list, true);
    if (isSeq(parts)) for (const part of parts.items) orderRequirement(part);
  }
}

/** Sorts a map in place; a comment above its first member stays with that member. */
function sort(map: unknown, order: readonly string[]): void {
  if (!isMap(map)) return;
  const [first] = map.items;
  const sorted = map.items.toSorted((a, b) => rank(a, order) - rank(b, order));
  const [next] = sorted;
  if (first === next || first === undefined || next === undefined) return;
  moveComment(map, first);
  map.items = sorted;
  if (isNode(next.key) && next.key.spaceBefore === true) next.key.spaceBefore = false;
}

/** The parser keeps what stands above the first member with the map. */
function moveComment(map: YAMLMap, first: Pair): void {
  if (map.commentBefore == null || !isNode(first.key)) return;
  const own = first.key.commentBefore;
  first.key.commentBefore = own == null ? map.commentBefore : `${map.commentBefore}\n${own}`;
  map.commentBefore = null;
}

function rank({ key }: Pair, order: readonly string[]): number {
  const at = isScalar(key) && typeof key.value === 'string' ? order.indexOf(key.value) : -1;
  return at === -1 ? order.length : at;
}
