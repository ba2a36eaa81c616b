import { asFault, hasCode, quote, TrustFault } from '@bulla/trust/fault/fault';
import type { Asker } from '../decision/made.ts';
import type { Log } from '../http/log.ts';
import type { Metrics } from '../http/metrics.ts';
import type { Act } from '../record/acts.ts';
import { leasesOf } from '../storage/lease.ts';
import type { Registers } from '../storage/registers.ts';
import type { Tables } from '../storage/tables.ts';
import type { StreamConfig, StreamPace } from './config.ts';
import { readState, writeState } from './cursor.ts';
import {
  countLetters,
  type DeadLetter,
  dropLetters,
  type Letters,
  listLetters,
  markLetters,
} from './dead-letters.ts';
import { compileFilter } from './filter.ts';
import { openFormat } from './formats/format.ts';
import type { RecordSource } from './gather.ts';
import { streamMetrics } from './metrics.ts';
import { firstState, type Pump, startPump } from './pump.ts';
import { createSender } from './send.ts';

/** What streams are made of. */
export interface StreamParts {
  readonly streams: readonly StreamConfig[];
  readonly pace: StreamPace;
  readonly source: RecordSource;
  readonly tables: Tables;
  readonly registers: Registers;
  /** Keeps what somebody did with dead letters. */
  readonly note: (act: Act) => Promise<string>;
  /** What receivers know this server by. */
  readonly facts: {
    /** The record's name, `<host>/record`. */
    readonly origin: string;
    readonly version: string;
  };
  readonly metrics: Metrics;
  readonly log: Log;
  readonly clock: () => Date;
  readonly now: () => number;
  readonly random: () => number;
}

/** A stream as an overview shows it. */
export interface StreamStatus {
  readonly name: string;
  readonly format: string;
  /** Scheme, host and port alone: the path of a webhook is often its secret. */
  readonly receiver: string;
  readonly signed: boolean;
  /** The last entry that is done with, and how many of the record stand behind it. */
  readonly seq: number;
  readonly lag: number;
  readonly deadLetters: number;
  readonly failingSince: string | null;
  readonly reason: string | null;
}

/**
 * The record on its way to receivers. What is asked here is the same at every replica; one of them
 * sends a stream at a time. Every method that takes a name throws `stream.unknown`.
 */
export interface StreamService extends AsyncDisposable {
  list(): Promise<readonly StreamStatus[]>;
  deadLetters(
    name: string,
    page: { readonly after: number; readonly limit: number },
  ): Promise<readonly DeadLetter[]>;
  /**
   * Asks for one more attempt of some dead letters, or of all, which the process that sends the stream
   * makes soon; answers how many. Throws `stream.dead-letter-unknown` for a list with none that is there.
   */
  retry(name: string, letters: Letters, by: Asker): Promise<number>;
  /** Removes dead letters for good, once that is in the record; throws as `retry`, `record.unavailable`. */
  drop(name: string, letters: Letters, by: Asker): Promise<number>;
}

/**
 * Starts every stream. A stream that is new begins at the end of the record as it is now. One whose
 * cell is corrupt does not stop the server: an alert that fails must not refuse images. Throws
 * `stream.template-invalid`, `policy.pattern-invalid`, `storage.*`; then nothing was started.
 */
export async function openStreams(parts: StreamParts): Promise<StreamService> {
  const { streams, registers, source, clock, log, pace } = parts;
  const leases = leasesOf(registers, { clock });
  const pumps: Pump[] = [];
  const lag = () => pumps.map((pump) => [{ stream: pump.name }, pump.lag()] as const);
  const metrics = streamMetrics(parts.metrics, lag);
  const ready = await Promise.all(
    streams.map(async (config) => {
      const format = await openFormat(config, parts.facts);
      return {
        config,
        wants: compileFilter(config.filter),
        send: createSender(config, format, parts),
      };
    }),
  );
  for (const { config } of ready) {
    const begin = await firstState({ config, source });
    // A swap that finds a cell writes nothing: the stream, or another replica, has begun already.
    await writeState(registers, config.name, null, begin);
  }
  for (const one of ready) {
    pumps.push(startPump({ ...parts, ...one, leases, metrics, log, pace }));
  }
  return {
    ...asking(parts),
    async [Symbol.asyncDispose]() {
      await Promise.all(pumps.map((pump) => pump[Symbol.asyncDispose]()));
    },
  };
}

function asking(parts: StreamParts): Omit<StreamService, typeof Symbol.asyncDispose> {
  const { streams, tables, registers, source, clock } = parts;
  const known = (name: string): void => {
    if (streams.some((config) => config.name === name)) return;
    throw new TrustFault('stream.unknown', `no stream ${quote(name)} is configured`);
  };
  /** Settles that some of the letters are there, and keeps what is about to be done with them. */
  async function begin(name: string, what: 'retried' | 'dropped', letters: Letters, actor: Asker) {
    known(name);
    const isNone = letters !== 'all' && (await countLetters(tables, name, letters)) === 0;
    if (isNone) {
      const says = `none of the dead letters ${quote(letters.join(', '))} is there`;
      throw new TrustFault('stream.dead-letter-unknown', says);
    }
    const which = letters === 'all' ? 'all' : letters.length;
    await parts.note({
      actor,
      act: `stream.dead-letters-${what}`,
      subject: name,
      says: `${actor.name} had ${which} dead letters of stream ${name} ${what}`,
      detail: { letters },
    });
  }
  return {
    async list() {
      const end = await source.end();
      return Promise.all(streams.map((config) => statusOf(config, parts, end.seq)));
    },
    async deadLetters(name, page) {
      known(name);
      return listLetters(tables, name, page);
    },
    async retry(name, letters, by) {
      await begin(name, 'retried', letters, by);
      return markLetters(tables, name, letters, clock());
    },
    async drop(name, letters, by) {
      await begin(name, 'dropped', letters, by);
      return dropLetters(tables, name, letters);
    },
  };

  async function knownState(name: string) {
    try {
      return { state: (await readState(registers, name))?.state ?? null, fault: null };
    } catch (error) {
      if (!hasCode(error, 'stream.state-corrupt')) throw error;
      return { state: null, fault: asFault(error) };
    }
  }

  async function statusOf(
    { name, format, url, signingKeys }: StreamConfig,
    { tables: rows }: StreamParts,
    end: number,
  ): Promise<StreamStatus> {
    const { state, fault } = await knownState(name);
    const seq = state?.seq ?? 0;
    return {
      name,
      format,
      receiver: url.origin,
      signed: signingKeys.length > 0,
      seq,
      lag: Math.max(0, end - seq),
      deadLetters: await countLetters(rows, name),
      failingSince: state?.failingSince ?? null,
      reason: fault?.message ?? state?.reason ?? null,
    };
  }
}
