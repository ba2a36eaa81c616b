import { asFault } from '@bulla/trust/fault/fault';
import type { AccessService } from '../access/service.ts';
import { every } from '../bounds/every.ts';
import { sweepPasses } from '../decision/passes.ts';
import type { Gateway } from '../gateway/service.ts';
import type { Log } from '../http/log.ts';
import { isEvidenceWanted } from '../record/evidence.ts';
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

/**
 * Once an hour: certificates, sessions, links and passes that are over, content that nothing has any
 * more.
 */
export function startUpkeep({ gateway, access, tables, renew, log }: UpkeepParts): AsyncDisposable {
  const run = async () => {
    await renew();
    await access.sweep();
    if (gateway === null) return;
    const { registers, clock } = gateway.ground;
    await sweepPasses(registers, clock());
    await gateway.collect();
    // Evidence goes with the entries of the record that it was kept for.
    await gateway.sweep(async (name) => (await isEvidenceWanted(tables, name)) ?? true);
  };
  // What failed is left to the next run.
  return every({ everyMs: EVERY_MS }, run, (error) =>
    log.warn('the hourly upkeep failed', { fault: asFault(error) }),
  );
}
