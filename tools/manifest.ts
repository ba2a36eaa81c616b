import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the tools read of an installed package's `package.json`. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression; empty when the package names none. */
  readonly licence: string;
  /** The author as the package writes it; empty when it names none. */
  readonly author: string;
}

/**
 * Reads `<folder>/package.json`. The old forms of the licence field (`{ type }` and a list of them)
 * come out as one expression. Throws when name or version is missing.
 */
export function readManifest(folder: string): Manifest {
  const raw: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const name = field(raw, 'name');
  const version = field(raw, 'version');
  if (typeof name !== 'string' || typeof version !== 'string') {
    throw new Error(`${folder}/package.json has no name or no version`);
  }
  const licences = field(raw, 'license') ?? field(raw, 'licenses') ?? [];
  const expressions = [licences].flat().map((each) => {
    const licence: unknown = typeof each === 'string' ? each : field(each, 'type');
    return typeof licence === 'string' ? licence : '';
  });
  const author = field(field(raw, 'author'), 'name') ?? field(raw, 'author');
  return {
    name,
    version,
    licence: expressions.join(' OR '),
    author: typeof author === 'string' ? author : '',
  };
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
