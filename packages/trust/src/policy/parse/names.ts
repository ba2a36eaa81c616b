import type { Place } from '../../bytes/yaml/node.ts';
import {
  addProblem,
  addUnexpected,
  listOf,
  meantWord,
  type Read,
  readText,
  type YamlCursor,
} from '../../bytes/yaml/read.ts';
import { quote } from '../../fault/fault.ts';

/** What the parts of one policy say of one another while it is read. */
export interface PolicyNames {
  /** Every name under `spec.authorities`, whether or not its authority can be read. */
  readonly authorities: readonly string[];
  /** Grows with each authority that a requirement names. */
  readonly used: Set<string>;
  /** Grows with each CEL expression, for whoever can check it. */
  readonly expressions: PolicyExpression[];
}

/** A CEL expression of a policy and where it stands. */
export interface PolicyExpression {
  readonly text: string;
  readonly place: Place;
}

/** `read`, whose items must differ (`policy.name-repeated`): each counts once. */
export function distinct<T extends string>(read: Read<readonly T[]>): Read<readonly T[]> {
  return (at) => {
    const items = read(at);
    const twice = items?.find((item, index) => items.indexOf(item) !== index);
    if (twice === undefined) return items;
    return addProblem(
      at,
      `expected each name once at ${at.place.path}, found ${quote(twice)} again`,
      {
        code: 'policy.name-repeated',
      },
    );
  };
}

/** Whether the cursor is on an empty list, which is then reported as `policy.requirement-empty`. */
export function refuseEmpty(at: YamlCursor): boolean {
  if (at.node?.kind !== 'list' || at.node.items.length > 0) return false;
  addProblem(at, `expected at least one item at ${at.place.path}, found an empty list`, {
    code: 'policy.requirement-empty',
  });
  return true;
}

/** Number of items of the list under the cursor; null when it is none. */
export function countOf(at: YamlCursor): number | null {
  return at.node?.kind === 'list' ? at.node.items.length : null;
}

/** A list of names of authorities that the policy defines, each once, at least one. */
export function authorityNamesOf(names: PolicyNames): Read<readonly string[]> {
  const readNames = distinct(
    listOf((at) => {
      const name = readText(at);
      if (name === undefined) return undefined;
      names.used.add(name);
      if (names.authorities.includes(name)) return name;
      const known = names.authorities.join(', ');
      const near = meantWord(name, names.authorities);
      return addProblem(
        at,
        `the policy defines no authority ${quote(name)}${near === '' ? `, only ${known || 'none'}` : near} at ${at.place.path}`,
        { code: 'policy.authority-unknown' },
      );
    }),
  );
  return (at) => (refuseEmpty(at) ? undefined : readNames(at));
}

/** A number from 1 to `most`, which is null when what it counts cannot be read. */
export function readThreshold(
  at: YamlCursor,
  most: number | null,
  counted: string,
): number | undefined {
  const value = at.node?.kind === 'scalar' ? at.node.value : null;
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    return addUnexpected(at, 'a whole number');
  }
  if (value >= 1 && (most === null || value <= most)) return value;
  const range = most === null ? 'of at least 1' : `from 1 to ${most}, the number of ${counted}`;
  return addProblem(at, `expected a number ${range}, at ${at.place.path}, found ${value}`, {
    code: 'policy.threshold-range',
  });
}
