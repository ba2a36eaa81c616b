import type { DayCounts } from '../overview/service.ts';
import type { Tables } from '../storage/tables.ts';

const DAY_MS = 24 * 3600_000;

/** How the record's decisions of the last day came out; uses from the cache are not counted again. */
export async function dayCounts({ db }: Tables, at: Date): Promise<DayCounts> {
  const since = new Date(at.getTime() - DAY_MS).toISOString();
  const rows = await db
    .selectFrom('record_entries')
    .select(['effect', ({ fn }) => fn.countAll<number>().as('count')])
    .where('kind', '=', 'decision')
    .where('at', '>=', since)
    .groupBy('effect')
    .execute();
  const of = (wanted: string) => Number(rows.find(({ effect }) => effect === wanted)?.count ?? 0);
  return {
    admitted24h: of('pass'),
    denied24h: of('deny'),
    warned24h: of('warn'),
    audited24h: of('audit'),
  };
}
