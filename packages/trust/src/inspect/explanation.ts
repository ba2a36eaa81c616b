import { asFault } from '../fault/fault.ts';

/** One thing that an explanation says: a text, or several of a kind. Foreign text is not escaped. */
export type Fact = string | readonly string[];

/** What a document is and says, as a tree. Nothing of it is verified. Its JSON form is itself. */
export interface Explanation {
  /** `sigstore-bundle`, `certificate`, `log-entry`, … or `malformed`. */
  readonly kind: string;
  readonly facts: Readonly<Record<string, Fact>>;
  readonly parts: readonly Explanation[];
}

/** Values of facts as they are at hand; what is null, undefined or an empty list is left out. */
export type Facts = Readonly<
  Record<string, Fact | number | bigint | boolean | Date | null | undefined>
>;

/** An explanation from values of several types; times as RFC 3339. */
export function explain(
  kind: string,
  values: Facts,
  parts: readonly Explanation[] = [],
): Explanation {
  const facts: Record<string, Fact> = {};
  for (const [name, value] of Object.entries(values)) {
    const text = factOf(value);
    if (text !== null) facts[name] = text;
  }
  return { kind, facts, parts };
}

function factOf(value: Facts[string]): Fact | null {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return value.toISOString().replace(/\.000Z$/, 'Z');
  if (typeof value === 'object') return value.length === 0 ? null : value;
  return typeof value === 'string' ? value : String(value);
}

/** What `read` makes of a part, or the explanation of why the part cannot be read. */
export function explainPart(what: string, read: () => Explanation): Explanation {
  try {
    return read();
  } catch (error) {
    const fault = asFault(error);
    if (fault.code === 'internal.defect') throw fault;
    return explain('malformed', { what, code: fault.code, reason: fault.message });
  }
}

/** The kinds in an explanation that say what could not be explained, each once. */
export function troublesOf({ kind, parts }: Explanation): ReadonlySet<'malformed' | 'unreachable'> {
  const found = new Set(parts.flatMap((part) => [...troublesOf(part)]));
  if (kind === 'malformed' || kind === 'unreachable') found.add(kind);
  return found;
}
