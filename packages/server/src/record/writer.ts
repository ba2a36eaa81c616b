import { setTimeout as sleep } from 'node:timers/promises';
import { asFault, TrustFault } from '@bulla/trust/fault/fault';
import type { Tables } from '../storage/tables.ts';
import { append, type Draft } from './append.ts';
import { whileBusy } from './busy.ts';
import type { ChainEnd } from './chain.ts';
import type { RecordConfig } from './config.ts';
import { isWritten } from './read.ts';

/** What a writer is made of. `now` is a monotonic clock in milliseconds. */
export interface WriterParts {
  readonly tables: Tables;
  readonly config: RecordConfig;
  readonly now: () => number;
}

/**
 * Adds entries to the chain in groups: what arrives within a few milliseconds shares a transaction
 * and its fsync. One group is written at a time, in the order of arrival.
 */
export interface Writer {
  /**
   * Resolves when the entry is durable. Throws `record.unavailable` when it is not known to be: the
   * store failed, took too long, or too many wait. It may then be there all the same; adding the
   * same draft again does not write it twice.
   */
  add(draft: Draft): Promise<void>;
  /** Takes no more, and resolves when nothing is waiting. */
  close(): Promise<void>;
}

interface Waiting {
  readonly draft: Draft;
  readonly since: number;
  readonly resolve: () => void;
  readonly reject: (fault: TrustFault) => void;
}

/** A writer on a store. */
export function createWriter(parts: WriterParts): Writer {
  const { config, now } = parts;
  const attempts = new WeakMap<Draft, ChainEnd[]>();
  const live = new Set<Waiting>();
  let queue: Waiting[] = [];
  let gathering: NodeJS.Timeout | null = null;
  let watchdog: NodeJS.Timeout | null = null;
  let writing: Promise<void> | null = null;
  let closed = false;

  function settle(waiting: Waiting, fault: TrustFault | null): void {
    if (!live.delete(waiting)) return;
    if (fault === null) waiting.resolve();
    else waiting.reject(fault);
  }

  function schedule(): void {
    if (gathering !== null || writing !== null || queue.length === 0) return;
    const wait = closed || queue.length >= config.groupEntries ? 0 : config.gatherMs;
    gathering = setTimeout(begin, wait);
  }

  function begin(): void {
    gathering = null;
    const group = queue.slice(0, config.groupEntries);
    queue = queue.slice(config.groupEntries);
    writing = writeGroup(parts, attempts, group, settle).finally(() => {
      writing = null;
      schedule();
    });
  }

  /** A store that hangs must not keep a door waiting for ever: it refuses instead. */
  function watch(): void {
    if (watchdog !== null || live.size === 0) return;
    const [oldest] = live;
    const left = (oldest?.since ?? 0) + config.writeMs - now();
    watchdog = setTimeout(
      () => {
        watchdog = null;
        const late = [...live].filter(({ since }) => now() - since >= config.writeMs);
        queue = queue.filter((waiting) => !late.includes(waiting));
        const fault = unavailable(`the store gave no answer in ${config.writeMs} ms`);
        for (const waiting of late) settle(waiting, fault);
        watch();
      },
      Math.max(1, left),
    );
    watchdog.unref();
  }

  return {
    add(draft) {
      if (closed) return Promise.reject(unavailable('the record was closed'));
      if (queue.length >= config.waitingEntries) {
        return Promise.reject(unavailable(`${queue.length} entries are waiting already`));
      }
      return new Promise((resolve, reject) => {
        const waiting = { draft, since: now(), resolve, reject };
        live.add(waiting);
        queue.push(waiting);
        schedule();
        watch();
      });
    },
    async close() {
      closed = true;
      if (gathering !== null) {
        clearTimeout(gathering);
        begin();
      }
      while (queue.length > 0 || writing !== null) await (writing ?? sleep(1));
      if (watchdog !== null) clearTimeout(watchdog);
    },
  };
}

async function writeGroup(
  { tables, config, now }: WriterParts,
  attempts: WeakMap<Draft, ChainEnd[]>,
  group: readonly Waiting[],
  settle: (waiting: Waiting, fault: TrustFault | null) => void,
): Promise<void> {
  const until = now() + config.writeMs;
  let places: readonly ChainEnd[] = [];
  let left = group;
  try {
    left = await withoutWritten(tables, attempts, group, settle);
    const drafts = left.map(({ draft }) => draft);
    const write = () => {
      places = [];
      return tables.db.transaction().execute(async (tx) => {
        places = await append(tx, drafts);
      });
    };
    if (drafts.length > 0) await whileBusy(write, () => now() < until);
    for (const waiting of left) settle(waiting, null);
  } catch (cause) {
    await afterFailure(tables, attempts, { left, places, settle, cause });
  }
}

/** The entries of the group that an earlier attempt, thought to have failed, has not written. */
async function withoutWritten(
  tables: Tables,
  attempts: WeakMap<Draft, ChainEnd[]>,
  group: readonly Waiting[],
  settle: (waiting: Waiting, fault: null) => void,
): Promise<readonly Waiting[]> {
  const left: Waiting[] = [];
  for (const waiting of group) {
    const before = attempts.get(waiting.draft) ?? [];
    const written = await Promise.all(before.map((place) => isWritten(tables, place)));
    if (written.includes(true)) settle(waiting, null);
    else left.push(waiting);
  }
  return left;
}

interface Failure {
  readonly left: readonly Waiting[];
  readonly places: readonly ChainEnd[];
  readonly settle: (waiting: Waiting, fault: TrustFault | null) => void;
  readonly cause: unknown;
}

/** A transaction that rejected may have happened: the chain says, if it can be read. */
async function afterFailure(
  tables: Tables,
  attempts: WeakMap<Draft, ChainEnd[]>,
  { left, places, settle, cause }: Failure,
): Promise<void> {
  const last = places.at(-1);
  const happened = last !== undefined && (await isWritten(tables, last).catch(() => false));
  const fault = unavailable(asFault(cause).message, cause);
  left.forEach((waiting, index) => {
    const place = places[index];
    if (place !== undefined && !happened) {
      attempts.set(waiting.draft, [...(attempts.get(waiting.draft) ?? []), place]);
    }
    settle(waiting, happened ? null : fault);
  });
}

/** The fault of a record that cannot be written. */
export function unavailable(reason: string, cause?: unknown): TrustFault {
  const message = `expected the record to take an entry: ${reason}`;
  return new TrustFault('record.unavailable', message, undefined, { cause });
}
