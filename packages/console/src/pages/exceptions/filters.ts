import type { ExceptionKind, ExceptionState } from '../../api/exceptions.ts';

/** Where exceptions stand, by the word that stands in the address. */
export const STATES = {
  requested: 'Requested',
  'in-force': 'In force',
  expired: 'Expired',
  revoked: 'Revoked',
} as const satisfies Readonly<Record<ExceptionState, string>>;

/** What they are, by the word that stands in the address. */
export const KINDS = {
  exception: 'Exceptions',
  'break-glass': 'Break-glass',
} as const satisfies Readonly<Record<ExceptionKind, string>>;

/** What the address of the list says: nothing but text, each only when it is asked for. */
export interface ExceptionsSearch {
  readonly state?: ExceptionState;
  readonly kind?: ExceptionKind;
  readonly review?: 'open';
  readonly repository?: string;
  /** Where an older page begins, as the server named it. */
  readonly before?: string;
}

const TEXT_LONGEST = 512;

/** The filters of an address; what is unknown, empty, or not what it should be is left out. */
export function readFilters(search: object): ExceptionsSearch {
  const given = new Map<string, unknown>(Object.entries(search));
  const [state, kind] = [given.get('state'), given.get('kind')];
  const repository = text(given.get('repository'));
  const before = text(given.get('before'));
  return {
    ...(isKey(STATES, state) ? { state } : {}),
    ...(isKey(KINDS, kind) ? { kind } : {}),
    ...(given.get('review') === 'open' ? { review: 'open' } : {}),
    ...(repository === '' ? {} : { repository }),
    ...(before === '' ? {} : { before }),
  };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value.trim().slice(0, TEXT_LONGEST) : '';
}

function isKey<T extends object>(table: T, value: unknown): value is keyof T {
  return typeof value === 'string' && Object.hasOwn(table, value);
}

/** How many filters narrow the list. */
export function countFilters({ before: _, ...filters }: ExceptionsSearch): number {
  return Object.keys(filters).length;
}
