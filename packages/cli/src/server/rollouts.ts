import {
  asArray,
  asCount,
  asString,
  type Cursor,
  member,
  optional,
} from '@bulla/trust/bytes/shape';
import type { PrintedDenial } from '../output/rollout.ts';
import { answer } from './parse.ts';

/** A rollout as a server shows it. */
export interface ShownRollout {
  readonly policy: string;
  readonly owner: string;
  readonly openedAt: string;
  readonly endsAt: string;
  readonly cutOver: { readonly at: string; readonly by: string; readonly act: string } | null;
}

/** A rollout with where its policy stands. */
export interface PlacedRollout extends ShownRollout {
  readonly state: string;
  readonly fileMode: string | null;
  readonly unchanged: boolean;
}

/** A rollout with what was observed. */
export interface ShownStatus extends PlacedRollout {
  readonly wouldDeny: readonly PrintedDenial[];
  readonly complete: boolean;
  readonly asked: boolean;
}

const DENIALS_MOST = 10_000;

/** The answer of a step. Throws `server.answer-malformed`. */
export function parseRollout(document: unknown): ShownRollout {
  return asRollout(answer(document));
}

/** The answer of `/rollouts`. Throws `server.answer-malformed`. */
export function parseRollouts(document: unknown): readonly PlacedRollout[] {
  return asArray(member(answer(document), 'rollouts'), asPlaced);
}

/** The answer of `/rollouts/:policy`. Throws `server.answer-malformed`. */
export function parseRolloutStatus(document: unknown): ShownStatus {
  const at = answer(document);
  return {
    ...asPlaced(at),
    wouldDeny: asArray(member(at, 'wouldDeny'), asDenial, DENIALS_MOST),
    complete: member(at, 'complete').value === true,
    asked: member(at, 'asked').value === true,
  };
}

function asRollout(at: Cursor): ShownRollout {
  const text = (name: string) => asString(member(at, name));
  const cutOver = optional(member(at, 'cutOver'), (one) => ({
    at: asString(member(one, 'at')),
    by: asString(member(one, 'by')),
    act: optional(member(one, 'act'), asString) ?? 'not yet',
  }));
  return {
    policy: text('policy'),
    owner: text('owner'),
    openedAt: text('openedAt'),
    endsAt: text('endsAt'),
    cutOver: cutOver ?? null,
  };
}

function asPlaced(at: Cursor): PlacedRollout {
  return {
    ...asRollout(at),
    state: asString(member(at, 'state')),
    fileMode: optional(member(at, 'fileMode'), asString) ?? null,
    unchanged: member(at, 'unchanged').value === true,
  };
}

function asDenial(at: Cursor): PrintedDenial {
  const text = (name: string) => asString(member(at, name));
  const nullable = (name: string) => optional(member(at, name), asString) ?? null;
  return {
    repository: text('repository'),
    digest: nullable('digest'),
    namespace: nullable('namespace'),
    code: nullable('code'),
    says: text('says'),
    count: asCount(member(at, 'count')),
    lastSeen: text('lastSeen'),
    mendedAt: nullable('mendedAt'),
  };
}
