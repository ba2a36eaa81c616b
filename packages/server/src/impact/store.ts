import { parseJson } from '@bulla/trust/bytes/json';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { SimulationRow } from '../storage/schema/simulations.ts';
import type { Tables } from '../storage/tables.ts';

/** A simulation as a list shows it. */
export interface SimulationSummary {
  readonly id: string;
  readonly kind: 'simulation' | 'impact';
  readonly at: string;
  readonly by: { readonly id: string; readonly name: string };
  /** What was asked, in a few words. */
  readonly asked: string;
  readonly totals: object;
}

/** A simulation with all that came out. */
export interface StoredSimulation extends SimulationSummary {
  readonly result: object;
}

/** Simulations that were run, the newest kept. */
export interface SimulationStore {
  add(one: StoredSimulation): Promise<void>;
  /** The newest first, before `before` where that is given. */
  list(before: string | null, limit: number): Promise<readonly SimulationSummary[]>;
  /** Throws `impact.unknown`. */
  get(id: string): Promise<StoredSimulation>;
}

const KEPT_MOST = 200;

/** Simulations in these tables. */
export function openSimulationStore({ db }: Tables): SimulationStore {
  return {
    async add({ by, totals, result, ...rest }) {
      const row: SimulationRow = {
        ...rest,
        by_id: by.id,
        by_name: by.name,
        totals: JSON.stringify(totals),
        result: JSON.stringify(result),
      };
      await db.insertInto('simulations').values(row).execute();
      const last = await db
        .selectFrom('simulations')
        .select('id')
        .orderBy('id', 'desc')
        .limit(1)
        .offset(KEPT_MOST)
        .executeTakeFirst();
      if (last === undefined) return;
      await db.deleteFrom('simulations').where('id', '<=', last.id).execute();
    },
    async list(before, limit) {
      const columns = ['id', 'kind', 'at', 'by_id', 'by_name', 'asked', 'totals'] as const;
      let query = db.selectFrom('simulations').select(columns);
      if (before !== null) query = query.where('id', '<', before);
      const rows = await query.orderBy('id', 'desc').limit(limit).execute();
      return rows.map(summaryOf);
    },
    async get(id) {
      const row = await db
        .selectFrom('simulations')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirst();
      if (row === undefined) {
        throw new TrustFault('impact.unknown', `no simulation ${quote(id)} is stored`);
      }
      return { ...summaryOf(row), result: asObject(row.result, id) };
    },
  };
}

function summaryOf(row: Omit<SimulationRow, 'result'>): SimulationSummary {
  const { id, kind, at, by_id, by_name, asked, totals } = row;
  return {
    ...{ id, at, asked },
    kind: kind === 'impact' ? 'impact' : 'simulation',
    by: { id: by_id, name: by_name },
    totals: asObject(totals, id),
  };
}

/** What this file wrote, which may be as large as a result may be. */
const JSON_MOST_BYTES = 16 << 20;

function asObject(text: string, id: string): object {
  const value = parseJson(Buffer.from(text), `simulation ${id}`, { maxBytes: JSON_MOST_BYTES });
  if (typeof value === 'object' && value !== null) return value;
  throw new TrustFault('storage.corrupt', `simulation ${quote(id)} is not what was stored`);
}
