import {
  asInstant,
  asOneOf,
  type Cursor,
  cursor,
  member,
  optional,
} from '@bulla/trust/bytes/shape';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { RecordFilter, RecordPage } from './search.ts';
import type { VerifyAsk } from './verify.ts';

/** A query as the API hands it in: each name once, its value as text. */
type Query = Readonly<Record<string, string>>;

const TEXTS = [
  'repository',
  'tag',
  'digest',
  'policy',
  'actor',
  'code',
  'exception',
  'id',
  'surface',
] as const;

const OUTCOMES = ['admit', 'deny'] as const;
const EFFECTS = ['pass', 'warn', 'audit', 'deny'] as const;

/** The filter that a query asks for. Throws `record.filter-invalid`. */
export function parseFilter(query: Query): RecordFilter {
  const at = cursor(query, '', 'record.filter-invalid');
  const outcome = optional(member(at, 'outcome'), (one) => asOneOf(one, OUTCOMES));
  const effect = optional(member(at, 'effect'), (one) => asOneOf(one, EFFECTS));
  const from = optional(member(at, 'from'), asInstant);
  const to = optional(member(at, 'to'), asInstant);
  const texts = TEXTS.flatMap((name) => {
    const value = query[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...(outcome === undefined ? {} : { outcome }),
    ...(effect === undefined ? {} : { effect }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...Object.fromEntries(texts),
  };
}

/** Which page a query asks for. Throws `record.filter-invalid`. */
export function parsePage(query: Query): RecordPage {
  const at = cursor(query, '', 'record.filter-invalid');
  const before = optional(member(at, 'before'), asNumber);
  const limit = optional(member(at, 'limit'), asNumber);
  if (limit === 0) throw new TrustFault('record.filter-invalid', 'expected a limit of 1 or more');
  return {
    ...(before === undefined ? {} : { before }),
    ...(limit === undefined ? {} : { limit }),
  };
}

/** The entries that a query wants verified, and against which head. Throws `record.filter-invalid`. */
export function parseRange(query: Query): Pick<VerifyAsk, 'from' | 'to' | 'head'> {
  const at = cursor(query, '', 'record.filter-invalid');
  const from = optional(member(at, 'from'), asNumber);
  const to = optional(member(at, 'to'), asNumber);
  const { head } = query;
  return {
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(head === undefined ? {} : { head }),
  };
}

function asNumber(at: Cursor): number {
  const { value } = at;
  if (typeof value === 'string' && /^(0|[1-9]\d{0,15})$/.test(value)) return Number(value);
  throw new TrustFault(at.code, `expected a whole number at ${at.path}, found ${quote(value)}`);
}
