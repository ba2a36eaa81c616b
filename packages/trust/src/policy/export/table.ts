import type { Surface, TrustPolicy } from '../document.ts';
import { compilePattern } from '../pattern.ts';
import type { ReadyPolicy } from '../policy-set.ts';
import { type ExportNote, liesUnder } from './note.ts';
import { type ExportScope, scopeOf } from './scope.ts';
import { clausesOf, type SignerClause } from './signers.ts';

/** Where the exported file decides; null is a place that is not known, which loosens nothing. */
export interface ExportPlace {
  readonly surface: Surface;
  readonly namespace: string | null;
  readonly environment: string | null;
  /** Decides which logs and certificate authorities are valid. */
  readonly at: Date;
}

/** One scope and what an image under it needs, unless a longer scope is above that image. */
export interface ScopeRow {
  readonly scope: string;
  /** Whether signatures must be of this very repository, and not of the one they lie beside. */
  readonly repository: boolean;
  /** All must hold; null refuses. */
  readonly clauses: readonly SignerClause[] | null;
}

/** Every scope, the most specific of which decides, and what could not be said. */
export interface ScopeTable {
  readonly rows: readonly ScopeRow[];
  readonly notes: readonly ExportNote[];
}

/**
 * The scopes of some policies. Every policy that covers any name under a scope is in its row, or the
 * scope refuses: where a pattern or an exclusion says only a part of it, and where one of the
 * policies asks for what has no words. Names that no scope is above are refused, as here (semantics 4).
 */
export function scopeTable(policies: readonly ReadyPolicy[], place: ExportPlace): ScopeTable {
  const placed = policies.filter(({ document }) => holdsAt(document, place)).map(placedOf);
  const scopes = [
    ...new Set(placed.flatMap(({ images, exclude }) => [...images, ...exclude].map(scopeText))),
  ].toSorted();
  const notes: ExportNote[] = placed.flatMap(policyNotes);
  const rows = scopes.map((scope) => rowOf(scope, placed, place.at, notes));
  return { rows, notes };
}

interface Placed {
  readonly policy: ReadyPolicy;
  readonly name: string;
  readonly images: readonly ExportScope[];
  readonly exclude: readonly ExportScope[];
}

function placedOf(policy: ReadyPolicy): Placed {
  const { name, images, exclude } = policy.document;
  return { policy, name, images: images.map(scopeOf), exclude: exclude.map(scopeOf) };
}

function scopeText({ scope }: ExportScope): string {
  return scope;
}

/** As `coverage.ts` has it: what is not known is met by a policy that enforces, and by no other. */
export function holdsAt(policy: TrustPolicy, place: ExportPlace): boolean {
  const { surfaces, namespaces, environments, mode } = policy;
  const unknown = mode === 'enforce';
  const inNamespace = (name: string): boolean =>
    (namespaces ?? []).some((pattern) => compilePattern(pattern)(name));
  return (
    surfaces.includes(place.surface) &&
    (namespaces === null || (place.namespace === null ? unknown : inNamespace(place.namespace))) &&
    (environments === null ||
      (place.environment === null ? unknown : environments.includes(place.environment)))
  );
}

function rowOf(scope: string, placed: readonly Placed[], at: Date, notes: ExportNote[]): ScopeRow {
  const refused: ScopeRow = { scope, repository: false, clauses: null };
  const reject = (policy: string | null, what: string): ScopeRow => {
    notes.push({ policy, scope, what, effect: 'reject' });
    return refused;
  };
  const covering: { readonly name: string; readonly clauses: readonly SignerClause[] }[] = [];
  let problem: ScopeRow | null = null;
  for (const one of placed) {
    const relation = relationOf(one, scope);
    if (relation === 'none') continue;
    if (relation === 'part') {
      problem = reject(one.name, 'it covers a part of what is under the scope');
      continue;
    }
    const said = clausesOf(one.policy, at);
    if ('unsaid' in said) problem = reject(one.name, said.unsaid);
    else covering.push({ name: one.name, clauses: said.all });
  }
  if (problem !== null) return problem;
  if (covering.length === 0) return reject(null, 'no policy covers it');
  const own = placed.filter(({ images }) =>
    images.some((image) => image.extent === 'repository' && image.scope === scope),
  );
  notes.push(...widerNotes(scope, own.length > 0));
  const clauses = covering.flatMap((one) => one.clauses);
  const distinct = new Map(clauses.map((clause) => [JSON.stringify(clause), clause]));
  return { scope, repository: own.length > 0, clauses: [...distinct.values()] };
}

function relationOf({ images, exclude }: Placed, scope: string): 'all' | 'part' | 'none' {
  const isAll = images.some(({ scope: above, extent }) =>
    extent === 'repository' ? above === scope : extent === 'whole' && liesUnder(scope, above),
  );
  const isPart = images.some(
    ({ scope: above, extent }) => extent === 'part' && liesUnder(scope, above),
  );
  if (!isAll && !isPart) return 'none';
  const isCut = exclude.some(({ scope: above }) => liesUnder(scope, above));
  return isAll && !isCut ? 'all' : 'part';
}

function widerNotes(scope: string, repository: boolean): readonly ExportNote[] {
  if (repository) {
    const what = `what lies below ${scope} passes when it was signed as ${scope}`;
    return [{ policy: null, scope, what, effect: 'wider' }];
  }
  if (!scope.includes('/')) return [];
  const what = `the repository ${scope} itself is under the scope too`;
  return [{ policy: null, scope, what, effect: 'wider' }];
}

function policyNotes({ name, policy }: Placed): readonly ExportNote[] {
  const { mode, onInconclusive, exceptions, tree } = policy.document;
  const said = [
    ...(mode === 'enforce' ? [] : [`mode: ${mode} refuses, for the file cannot warn`]),
    ...(onInconclusive === 'deny' ? [] : ['onInconclusive: an outage refuses']),
    ...(exceptions === null ? [] : ['exceptions are not looked at']),
    ...(tree === 'any' ? ['a signature of the index does not count, that of the image does'] : []),
  ];
  return said.map((what) => ({ policy: name, scope: null, what, effect: 'stricter' }));
}
