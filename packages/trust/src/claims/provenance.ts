import { asArray, asString, type Cursor, cursor, member, optional } from '../bytes/shape.ts';
import { quote, TrustFault } from '../fault/fault.ts';
import { PREDICATE_TYPES } from './predicate-type.ts';
import type { Statement } from './statement.ts';

/** Where an artifact was built from: a repository, and the git reference that was asked for. */
export interface ProvenanceSource {
  /** Without `git+`, reference and `.git`: `https://github.com/acme/app`. */
  readonly repository: string;
  /** `refs/heads/main` and the like; null where the provenance names none. */
  readonly ref: string | null;
}

/** What a SLSA provenance says of a build. */
export interface Provenance {
  readonly builder: string;
  /** Null when it names no source, or several of which none is marked as the one. */
  readonly source: ProvenanceSource | null;
}

/**
 * The builder and the source in a SLSA provenance of version 0.2 or 1. The source is the one that the
 * builder marks as such; materials and dependencies are read only where it marks none, and only when
 * they name one repository: a build that merely uses a repository was not made from it. Throws
 * `predicate.malformed`, also for another type.
 */
export function readProvenance({ predicateType, predicate }: Statement): Provenance {
  const at = cursor(predicate, 'predicate', 'predicate.malformed');
  if (predicateType === PREDICATE_TYPES.slsaprovenance02) return readVersion02(at);
  if (predicateType === PREDICATE_TYPES.slsaprovenance1) return readVersion1(at);
  throw new TrustFault(
    'predicate.malformed',
    `expected a SLSA provenance of version 0.2 or 1, found a statement of type ${quote(predicateType)}`,
  );
}

/** slsa.dev/spec/v0.2/provenance: `invocation.configSource` is where the build was described. */
function readVersion02(at: Cursor): Provenance {
  const marked = within(at, ['invocation', 'configSource', 'uri']);
  const uri = optional(marked, asString);
  return {
    builder: asString(member(member(at, 'builder'), 'id')),
    source: uri === undefined ? onlySource(member(at, 'materials')) : sourceOf(uri),
  };
}

/** slsa.dev/spec/v1.0/provenance, and the build types of GitHub, GitLab and BuildKit. */
function readVersion1(at: Cursor): Provenance {
  const definition = member(at, 'buildDefinition');
  const external = member(definition, 'externalParameters');
  return {
    builder: asString(within(at, ['runDetails', 'builder', 'id'])),
    source: markedSource(external) ?? onlySource(member(definition, 'resolvedDependencies')),
  };
}

function markedSource(external: Cursor): ProvenanceSource | null {
  if (external.value === undefined || external.value === null) return null;
  const repository = optional(within(external, ['workflow', 'repository']), asString);
  if (repository !== undefined) {
    const ref = optional(within(external, ['workflow', 'ref']), asString);
    return { repository: sourceOf(repository).repository, ref: ref ?? null };
  }
  const uri =
    optional(within(external, ['configSource', 'uri']), asString) ??
    optional(member(external, 'source'), (source) =>
      typeof source.value === 'string' ? source.value : optional(member(source, 'uri'), asString),
    );
  return uri === undefined ? null : sourceOf(uri);
}

/** The one git repository among materials; null when there is none, and when there are several. */
function onlySource(at: Cursor): ProvenanceSource | null {
  const uris =
    optional(at, (list) => asArray(list, (entry) => optional(member(entry, 'uri'), asString))) ??
    [];
  const sources = uris.flatMap((uri) => (uri !== undefined && isGit(uri) ? [sourceOf(uri)] : []));
  const distinct = new Map(sources.map((source) => [`${source.repository} ${source.ref}`, source]));
  const [only] = distinct.values();
  return only !== undefined && distinct.size === 1 ? only : null;
}

function isGit(uri: string): boolean {
  return /^git\+|^git:|^[a-z][a-z0-9+.-]*:\/\/[^@#]*\.git(?:[@#]|$)/i.test(uri);
}

/** `git+https://host/a/b.git@refs/heads/main`, `https://host/a/b.git#main` and the like. */
function sourceOf(uri: string): ProvenanceSource {
  const bare = uri.replace(/^git\+/, '');
  // A user's `@` stands before the first slash behind the host.
  const scheme = bare.indexOf('://');
  const slash = bare.indexOf('/', scheme === -1 ? 0 : scheme + 3);
  const path = slash === -1 ? '' : bare.slice(slash);
  // Only `git+` says that any `@` ends the path (SPDX 2.3 §7.7); elsewhere it may be part of a name.
  const mark = bare === uri ? /@(?=refs\/|[0-9a-f]{40,64}$)|#/ : /[@#]/;
  const found = mark.exec(path);
  const end = found === null ? bare.length : slash + found.index;
  const ref = bare.slice(end + 1);
  const repository = bare
    .slice(0, end)
    .replace(/\/+$/, '')
    .replace(/\.git$/, '');
  return { repository, ref: ref === '' ? null : ref };
}

/** A member below objects that may be absent: then it is absent as well. */
function within(at: Cursor, keys: readonly string[]): Cursor {
  let found = at;
  for (const key of keys) {
    if (found.value === undefined || found.value === null) return { ...found, value: undefined };
    found = member(found, key);
  }
  return found;
}
