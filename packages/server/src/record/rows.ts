import type { RecordEntryRow, RecordRepeatRow, RecordTermRow } from '../storage/schema/record.ts';
import type { ActBody, Body, DecisionBody } from './body.ts';
import { failingCodes } from './tree.ts';

/** What an entry is searched by, without its place in the chain. */
export interface Indexed {
  readonly columns: Pick<
    RecordEntryRow,
    'kind' | 'id' | 'at' | 'effect' | 'surface' | 'tag' | 'dossier'
  >;
  readonly terms: readonly Omit<RecordTermRow, 'seq'>[];
  readonly repeats: readonly Omit<RecordRepeatRow, 'seq'>[];
}

/** A decision's values of one kind are at most so many rows. */
const TERMS_MOST = 256;

/**
 * What the entry is searched by: a function of its body alone, so that a verification can tell
 * whether somebody changed the columns and left the chain as it was.
 */
export function indexOf(body: Body): Indexed {
  const { kind, at } = body;
  const bare = { kind, at, id: null, effect: null, surface: null, tag: null, dossier: null };
  switch (body.kind) {
    case 'decision':
      return { columns: columnsOf(body), terms: termsOf(body), repeats: [] };
    case 'repeats': {
      const repeats = body.items.map(({ id, count, first, last }) => ({
        decision_id: column(id),
        count,
        first_at: first,
        last_at: last,
      }));
      return { columns: bare, terms: [], repeats };
    }
    case 'pruned':
      return { columns: bare, terms: [], repeats: [] };
    case 'act':
      return { columns: { ...bare, id: column(body.id) }, terms: actTerms(body), repeats: [] };
    default:
      return body satisfies never;
  }
}

function columnsOf(body: DecisionBody): Indexed['columns'] {
  const { kind, at, effect, surface, dossier } = body;
  const tag = body.tag === null ? null : column(body.tag);
  return { kind, at, id: column(body.id), effect, surface, tag, dossier };
}

function termsOf(body: DecisionBody): Indexed['terms'] {
  const codes = failingCodes(body.finding);
  const byKind: Readonly<Partial<Record<TermKind, readonly (string | null)[]>>> = {
    actor: [body.actor.id, body.actor.name],
    repository: pathsAbove(body.repository),
    digest: [body.digest, ...body.covers],
    policy: body.policies.map(({ name }) => name),
    code: [body.code, ...codes],
    exception: body.exceptions.map(({ id }) => id),
  };
  return Object.entries(byKind).flatMap(([kind, values]) => {
    const present = values.filter((value) => value !== null).map(column);
    return [...new Set(present)].slice(0, TERMS_MOST).map((value) => ({ kind, value }));
  });
}

function actTerms({ actor, act, subject }: ActBody): Indexed['terms'] {
  // `exception.approved` is found by `exception` too: acts of one room stand together.
  const [room = act] = act.split('.');
  const byKind: Readonly<Partial<Record<TermKind, readonly string[]>>> = {
    actor: [actor.id, actor.name],
    act: [room, act],
    subject: [subject],
  };
  return Object.entries(byKind).flatMap(([kind, values]) =>
    [...new Set(values.map(column))].map((value) => ({ kind, value })),
  );
}

/** What an entry has several values of. */
export type TermKind =
  | 'actor'
  | 'repository'
  | 'digest'
  | 'policy'
  | 'code'
  | 'exception'
  | 'act'
  | 'subject';

/** `a/b/c` as `a`, `a/b` and `a/b/c`: a folder of repositories is found by one equality. */
export function pathsAbove(repository: string): readonly string[] {
  const segments = repository.split('/').slice(0, 32);
  const paths = segments.map((_, index) => segments.slice(0, index + 1).join('/'));
  return paths.at(-1) === repository ? paths : [...paths, repository];
}

/** Text as a column may hold it: PostgreSQL has no NUL in text. */
export function column(text: string): string {
  return text.replaceAll('\0', '\u{fffd}');
}
