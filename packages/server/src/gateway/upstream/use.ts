import { TrustFault } from '@bulla/trust/fault/fault';
import { type ManifestRecord, readManifestRecord, writeManifestRecord } from '../cells.ts';
import type { GatewayConfig } from '../config.ts';
import type { Content } from '../contents.ts';
import { changeCell, type Ground } from '../ground.ts';
import { KEYS } from '../keys.ts';

const DAY_MS = 24 * 3600_000;
const PARTS_OF_PERIOD = 4;

/**
 * How old the note of a manifest's last use may be before another is written, in milliseconds: a day,
 * and less where what is not used is kept for a few days or hours only.
 */
export function coarsenessOf({ cachedMs }: Pick<GatewayConfig, 'cachedMs'>): number {
  return cachedMs === null ? DAY_MS : Math.min(DAY_MS, cachedMs / PARTS_OF_PERIOD);
}

/**
 * Notes that a manifest of an upstream is used now, in its record; false when it was taken out of the
 * store meanwhile, and is to be fetched again. A collection takes out a record by its version, so of
 * this and that exactly one happens. A pull of what was noted a moment ago compares two numbers. A
 * store that fails refuses no pull: then it is noted by a later one, or goes too early.
 */
export async function noteUse(
  ground: Ground,
  repository: string,
  { digest, record, memo }: Content,
): Promise<boolean> {
  memo.usedMs ??= usedMsOf(record);
  if (isRecent(ground, memo.usedMs)) return true;
  memo.noting ??= writeUse(ground, KEYS.manifest(repository, digest))
    .then((isThere) => {
      if (isThere) memo.usedMs = ground.clock().getTime();
      return isThere;
    })
    .finally(() => delete memo.noting);
  return memo.noting;
}

async function writeUse(ground: Ground, key: string): Promise<boolean> {
  try {
    return await changeCell(ground, key, (value) => {
      if (value === null) return null;
      const record = readManifestRecord(value);
      if (isRecent(ground, usedMsOf(record))) return null;
      return writeManifestRecord({ ...record, used: ground.clock().toISOString() });
    });
  } catch (error) {
    if (error instanceof TrustFault && error.code.startsWith('storage.')) return true;
    throw error;
  }
}

/** A clock that was ahead and goes right again makes a use old, not new for ever. */
function isRecent({ clock, config }: Ground, usedMs: number): boolean {
  return Math.abs(clock().getTime() - usedMs) < coarsenessOf(config);
}

function usedMsOf({ used }: ManifestRecord): number {
  const at = used === undefined ? Number.NaN : Date.parse(used);
  return Number.isNaN(at) ? Number.NEGATIVE_INFINITY : at;
}
