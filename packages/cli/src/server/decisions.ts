import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { Api } from './api.ts';
import { parseDecisions, type ShownDecision } from './parse.ts';

/** A decision of a list, with its document as the API has it. */
export interface FoundDecision {
  readonly shown: ShownDecision;
  readonly document: unknown;
}

/** A part of what was looked for. */
export interface SearchWanted {
  readonly limit: number;
  /** Below this number of the record; null: from the newest. */
  readonly before: number | null;
}

const PAGE_MOST = 200;

/** The newest decisions that a query asks for, and where to go on; null: there are no more. */
export async function searchDecisions(
  api: Api,
  query: Readonly<Record<string, string>>,
  { limit, before }: SearchWanted,
): Promise<{ readonly found: readonly FoundDecision[]; readonly next: number | null }> {
  const found: FoundDecision[] = [];
  let next = before;
  do {
    const page = parseDecisions(
      await api.json({
        method: 'GET',
        path: ['decisions'],
        query: {
          ...query,
          limit: String(Math.min(limit - found.length, PAGE_MOST)),
          ...(next === null ? {} : { before: String(next) }),
        },
      }),
    );
    found.push(...page.decisions);
    // A page may be short, even empty, and have a next one.
    next = page.next;
  } while (next !== null && found.length < limit);
  return { found, next };
}

/** So many last characters of an id are chance: they tell it from all others, in all likelihood. */
export const DECISION_ENDING = 8;
const ID_LENGTH = 26;

/**
 * The id of the decision whose id is, or ends with, `text`. Throws `record.decision-unknown`, and
 * `usage.invalid` when several end so.
 */
export async function findDecision(api: Api, text: string): Promise<string> {
  const wanted = text.toUpperCase();
  if (!/^[0-9A-Z]+$/.test(wanted)) {
    throw new TrustFault('usage.invalid', `${quote(text)} cannot be a decision's id`);
  }
  if (wanted.length === ID_LENGTH) return wanted;
  if (wanted.length >= DECISION_ENDING && wanted.length < ID_LENGTH) {
    const { found } = await searchDecisions(api, { id: wanted }, { limit: 100, before: null });
    // A refusal that was given again from the cache stands in the record again, by the same id.
    const ids = [...new Set(found.map(({ shown }) => shown.id))].filter((id) =>
      id.endsWith(wanted),
    );
    const [id] = ids;
    if (ids.length > 1) {
      throw new TrustFault('usage.invalid', `${ids.length} decisions end with ${quote(text)}`);
    }
    if (id !== undefined) return id;
  }
  throw new TrustFault('record.decision-unknown', `no decision ${quote(text)} is recorded`);
}
