import type { DecisionsAsk } from '../../api/decisions.ts';

const HOUR_MS = 3_600_000;

/** Spans of time by the word that stands in the address. */
export const SPANS = {
  '1h': { title: 'Last hour', ms: HOUR_MS },
  '24h': { title: 'Last 24 hours', ms: 24 * HOUR_MS },
  '7d': { title: 'Last 7 days', ms: 7 * 24 * HOUR_MS },
  '30d': { title: 'Last 30 days', ms: 30 * 24 * HOUR_MS },
} as const;

/** What the door did, by the word that stands in the address. */
export const EFFECTS = {
  pass: 'Admitted, all satisfied',
  warn: 'Admitted with a warning',
  audit: 'Admitted, only recorded',
  deny: 'Denied',
} as const;

/** What the address of the list says: nothing but text, each only when it is asked for. */
export interface DecisionsSearch {
  readonly outcome?: 'admit' | 'deny';
  readonly effect?: keyof typeof EFFECTS;
  readonly repository?: string;
  readonly policy?: string;
  readonly actor?: string;
  readonly code?: string;
  readonly time?: keyof typeof SPANS;
  /** Instants, ISO 8601; only without `time`. */
  readonly from?: string;
  readonly to?: string;
  readonly digest?: string;
  /** The id of an exception that it stood on. */
  readonly exception?: string;
  /** Where an older page begins: the number of an entry. */
  readonly before?: string;
  /** `off`: the list stands still. */
  readonly live?: 'off';
}

const TEXTS = ['repository', 'policy', 'actor', 'code', 'digest', 'exception'] as const;
const WORDS = ['outcome', 'effect', 'time', 'before', 'live'] as const;
const TEXT_LONGEST = 512;

/**
 * The filters of an address. What is unknown, empty, or not what it should be is left out: an address
 * that somebody mistyped shows more, and the fields of the page say what it shows.
 */
export function readFilters(search: object): DecisionsSearch {
  const given = new Map<string, unknown>(Object.entries(search));
  const texts = TEXTS.flatMap((name) => {
    const value = given.get(name);
    const text = typeof value === 'string' ? value.trim().slice(0, TEXT_LONGEST) : '';
    return text === '' ? [] : [[name, text] as const];
  });
  const [outcome, effect, time, before, live] = WORDS.map((name) => given.get(name));
  const from = instant(given.get('from'));
  const to = instant(given.get('to'));
  return {
    ...(outcome === 'admit' || outcome === 'deny' ? { outcome } : {}),
    ...(isKey(EFFECTS, effect) ? { effect } : {}),
    ...(isKey(SPANS, time) ? { time } : {}),
    ...(isKey(SPANS, time) || from === null ? {} : { from }),
    ...(isKey(SPANS, time) || to === null ? {} : { to }),
    ...Object.fromEntries(texts),
    ...(typeof before === 'string' && /^\d{1,15}$/.test(before) ? { before } : {}),
    ...(live === 'off' ? { live } : {}),
  };
}

function isKey<T extends object>(table: T, value: unknown): value is keyof T {
  return typeof value === 'string' && Object.hasOwn(table, value);
}

/** An instant in its one form, or null. */
function instant(value: unknown): string | null {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\d/.test(value)) return null;
  const at = new Date(value);
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}

/** The question to the API. */
export function askOf({ time, live: _, ...rest }: DecisionsSearch): DecisionsAsk {
  return time === undefined ? rest : { ...rest, withinMs: SPANS[time].ms };
}

/** How many filters narrow the list. */
export function countFilters({ before: _, live: __, ...filters }: DecisionsSearch): number {
  return Object.keys(filters).length;
}

/** Whether the list may renew itself: on its newest page, and up to the present only. */
export function isLive({ before, to, live }: DecisionsSearch): boolean {
  return before === undefined && to === undefined && live !== 'off';
}
