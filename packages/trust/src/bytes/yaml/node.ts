/** Where something stands in a text: line and column count from 1, a column is a UTF-16 unit. */
export interface Place {
  /** The file's name as its reader knows it. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** From the document's root, such as `spec.require.all[0].signed`; empty at the root. */
  readonly path: string;
}

/** One member of a map, with the place of its key. */
export interface YamlEntry {
  readonly key: string;
  readonly place: Place;
  readonly value: YamlNode;
}

/**
 * A value of YAML or JSON text that knows where it stands. Maps keep the order of their members and
 * hold each key once; a key is any text, `__proto__` too.
 */
export type YamlNode =
  | {
      readonly kind: 'scalar';
      readonly value: string | number | boolean | null;
      readonly place: Place;
    }
  | { readonly kind: 'list'; readonly items: readonly YamlNode[]; readonly place: Place }
  | { readonly kind: 'map'; readonly entries: readonly YamlEntry[]; readonly place: Place };

/** The path of member `key` under `path`; a key that could be misread is quoted. */
export function memberPath(path: string, key: string): string {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(key)) return `${path}[${JSON.stringify(key.slice(0, 64))}]`;
  return path === '' ? key : `${path}.${key}`;
}

/** The plain value of a node, as JSON has it; its objects have no prototype. */
export function plainValue(node: YamlNode): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.value;
    case 'list':
      return node.items.map(plainValue);
    case 'map': {
      const plain: Record<string, unknown> = Object.create(null);
      for (const { key, value } of node.entries) plain[key] = plainValue(value);
      return plain;
    }
    default:
      return node satisfies never;
  }
}

/** A node of plain JSON, of which all stands at one place; what is undefined is left out. */
export function nodeOf(value: unknown, place: Place): YamlNode {
  if (Array.isArray(value)) {
    return { kind: 'list', items: value.map((item: unknown) => nodeOf(item, place)), place };
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, member]) => member !== undefined);
    return {
      kind: 'map',
      entries: entries.map(([key, member]) => ({ key, place, value: nodeOf(member, place) })),
      place,
    };
  }
  const isScalar = typeof value === 'string' || typeof value === 'number';
  return { kind: 'scalar', value: isScalar || typeof value === 'boolean' ? value : null, place };
}

/** The node at the end of a path of keys, or the deepest that is there on the way. */
export function childOf(node: YamlNode, keys: readonly string[]): YamlNode {
  let found = node;
  for (const key of keys) {
    const entries = found.kind === 'map' ? found.entries : [];
    const next = entries.find((entry) => entry.key === key);
    if (next === undefined) return found;
    found = next.value;
  }
  return found;
}
