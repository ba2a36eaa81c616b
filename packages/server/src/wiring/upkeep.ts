import { asFault } from '@bulla/trust/fault/fault';
import type { AccessService } from '../access/service.ts';
import { every } from '../bounds/every.ts';
import { sweepPasses } from '../decision/passes.ts';
import type { Gateway } from '../gateway/service.ts';
import type { Log } from '../http/log.ts';
import { isEvidenceWanted } from '../record/evidence.ts';
import { type Leases, leasesOf } from '../storage/lease.ts';
import type { Tables } from '../storage/tables.ts';

const EVERY_MS = 3600_000;

/** What is kept up. */
export interface UpkeepParts {
  /** Null when it is switched off. */
  readonly gateway: Gateway | null;
  readonly access: AccessService;
  readonly tables: Tables;
  /** Makes certificates anew that are about to end. */
  readonly renew: () => Promise<void>;
  readonly log: Log;
}

/** Of several servers on one database one at a time does it. */
export const UPKEEP = 'upkeep';

/**
 * Once an hour: certificates, sessions, links and passes that are over, content that nothing has any
 * more.
 */
export function startUpkeep(parts: UpkeepParts): AsyncDisposable {
  const { gateway, log } = parts;
  const leases = gateway === null ? null : leasesOf(gateway.ground.registers, gateway.ground);
  // What failed is left to the next run.
  return every(
    { everyMs: EVERY_MS },
    () => keepUp(parts, leases),
    (error) => log.warn('the hourly upkeep failed', { fault: asFault(error) }),
  );
}

/**
 * One turn. What is about content is left out while another server is at it: both would read and
 * remove the same. Where the lease is lost in between nothing is harmed, since collecting and sweeping
 * are safe beside themselves; the rest is left to who has the lease then.
 */
export async function keepUp(
  { gateway, access, tables, renew }: UpkeepParts,
  leases: Leases | null,
): Promise<void> {
  await renew();
  await access.sweep();
  if (gateway === null || leases === null) return;
  await using lease = await leases.tryAcquire(UPKEEP);
  if (lease === null) return;
  const { registers, clock } = gateway.ground;
  await sweepPasses(registers, clock());
  await gateway.collect();
  if (lease.signal.aborted) return;
  // Evidence goes with the entries of the record that it was kept for.
  await gateway.sweep(async (name) => (await isEvidenceWanted(tables, name)) ?? true);
}
