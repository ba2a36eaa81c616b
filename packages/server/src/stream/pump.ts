import { asFault } from '@bulla/trust/fault/fault';
import { every } from '../bounds/every.ts';
import type { Log } from '../http/log.ts';
import type { Lease, Leases } from '../storage/lease.ts';
import type { Registers } from '../storage/registers.ts';
import type { Tables } from '../storage/tables.ts';
import { waitMs } from './backoff.ts';
import type { StreamConfig, StreamPace } from './config.ts';
import { readState, type StoredState, type StreamState, stateAt, writeState } from './cursor.ts';
import { bury, dropLetters, eventOf, failedAgain, markedLetters } from './dead-letters.ts';
import { firstSeq, lastSeq, type StreamEvent } from './event.ts';
import { type Gathered, gather, type RecordSource } from './gather.ts';
import type { StreamMetrics } from './metrics.ts';
import type { Outcome, Send } from './send.ts';

/** What sends one stream. */
export interface PumpParts {
  readonly config: StreamConfig;
  readonly pace: StreamPace;
  readonly wants: (event: StreamEvent) => boolean;
  readonly send: Send;
  readonly source: RecordSource;
  readonly tables: Tables;
  readonly registers: Registers;
  readonly leases: Leases;
  readonly metrics: StreamMetrics;
  readonly log: Log;
  readonly clock: () => Date;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** A number in [0, 1), for the jitter of waits. */
  readonly random: () => number;
}

/** A stream that is being sent. Disposing it gives up the request under way and its lease. */
export interface Pump extends AsyncDisposable {
  readonly name: string;
  /** Entries of the record that this process knows to be ahead of the stream. */
  lag(): number;
}

const LETTERS_AT_ONCE = 100;
const STEPS_BETWEEN_LETTERS = 100;

/** Whether there may be more to do at once. */
type Step = 'on' | 'wait';

/**
 * Sends one stream, in the order of the chain, each event at least once: the cursor moves only after
 * the receiver took an event, or the dead letter of it is durable. One process at a time has the
 * stream's lease; one that lost it without knowing fails at the cursor's swap, and has at worst sent
 * something twice, under the same id. README.md has what survives what.
 */
export function startPump(parts: PumpParts): Pump {
  const { config, pace, metrics, log, leases } = parts;
  const stopping = new AbortController();
  const run = createRun(parts, stopping.signal);
  let lease: Lease | null = null;

  async function turn(): Promise<void> {
    if (lease?.signal.aborted === true) await release();
    lease ??= await leases.tryAcquire(`stream-${config.name}`);
    if (lease === null) return;
    const { signal } = lease;
    if (!run.isDue()) return run.look();
    for (let steps = 0; !stopping.signal.aborted && !signal.aborted; steps++) {
      // A stream that never catches up must not keep dead letters waiting.
      if (steps % STEPS_BETWEEN_LETTERS === 0) await run.retryLetters(signal);
      if ((await run.step(signal)) === 'wait') return;
    }
  }

  async function release(): Promise<void> {
    const held = lease;
    lease = null;
    run.forget();
    await held?.[Symbol.asyncDispose]();
  }

  const ticking = every({ everyMs: pace.everyMs, atOnce: true }, turn, (error) => {
    if (stopping.signal.aborted) return;
    run.broke();
    metrics.broken(config.name);
    log.warn('a stream of the record was interrupted', {
      stream: config.name,
      fault: asFault(error),
    });
  });
  return {
    name: config.name,
    lag: () => run.lag(),
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await ticking[Symbol.asyncDispose]();
      await release();
    },
  };
}

interface Run {
  isDue(): boolean;
  /** Learns how far the record has gone, while a wait goes on. */
  look(): Promise<void>;
  retryLetters(lease: AbortSignal): Promise<void>;
  step(lease: AbortSignal): Promise<Step>;
  /** Nothing that is in memory counts any more: somebody else may have sent. */
  forget(): void;
  /** A turn failed: the next comes after a wait, and begins with what is stored. */
  broke(): void;
  lag(): number;
}

function createRun(parts: PumpParts, stopping: AbortSignal): Run {
  const { config, pace, source, tables, registers, metrics, log, clock, now, random } = parts;
  const { name } = config;
  let stored: StoredState | null = null;
  /** What was looked at and is not wanted, beyond the stored place. */
  let scanned: Gathered['end'] | null = null;
  let savedAt = Number.NEGATIVE_INFINITY;
  let dueAt = Number.NEGATIVE_INFINITY;
  let failures = 0;
  let known = { end: 0, done: 0 };

  async function save(state: StreamState): Promise<void> {
    const written = await writeState(registers, name, stored?.version ?? null, state);
    // Another replica has the stream now: what is in memory is not the truth any more.
    if (written === null) throw new Error('another process has moved the cursor');
    stored = written;
    savedAt = now();
    known = { ...known, done: state.seq };
  }

  async function current(): Promise<StreamState> {
    stored ??= await readState(registers, name);
    if (stored === null) await save(await firstState(parts));
    return stored?.state ?? stateAt({ seq: 0, hash: '' });
  }

  async function look(): Promise<void> {
    known = { ...known, end: (await source.end()).seq };
  }

  function pause(askedMs: number | null): Step {
    failures += 1;
    dueAt = now() + waitMs(failures, askedMs, pace, random);
    return 'wait';
  }

  /** The place is done with; what was under way goes on until its end. */
  async function moveTo({ end }: Gathered, isTaken: boolean): Promise<void> {
    const { through, alone, failingSince, reason } = await current();
    const isWithin = through !== null && end.seq < through;
    scanned = null;
    await save(
      isWithin
        ? // A receiver that takes one gives the next its whole time.
          {
            ...stateAt(end),
            ...{ through, alone },
            ...(isTaken ? {} : { failingSince, reason }),
          }
        : stateAt(end),
    );
  }

  /** Nothing up to the place is wanted; that is stored now and then. */
  async function passOver(state: StreamState, { end, more }: Gathered): Promise<Step> {
    const { through } = state;
    // What was under way is over; the entries behind it are still to be looked at.
    const isOver = through !== null && end.seq >= through;
    scanned = end;
    known = { ...known, done: end.seq };
    const isDue = isOver || now() - savedAt >= pace.saveEveryMs;
    const { seq, hash } = end;
    if (seq !== state.seq && isDue) {
      await save(through === null || isOver ? stateAt(end) : { ...state, seq, hash });
    }
    return isOver || more === true ? 'on' : 'wait';
  }

  async function giveUp(event: StreamEvent, gathered: Gathered, reason: string): Promise<Step> {
    const letter = { stream: name, event, reason };
    const isKept = await bury(tables, letter, { at: clock(), most: pace.deadLetters });
    if (!isKept) {
      const state = await current();
      const full = `the store of dead letters is full; the last reason: ${reason}`;
      const failingSince = state.failingSince ?? clock().toISOString();
      if (state.reason !== full) await save({ ...state, failingSince, reason: full });
      return pause(pace.longestWaitMs);
    }
    metrics.dead(name);
    countMissed(metrics, name, event);
    log.warn('an event became a dead letter', { stream: name, event: event.id, reason });
    await moveTo(gathered, false);
    return 'on';
  }

  async function settle(outcome: Outcome, gathered: Gathered): Promise<Step> {
    const { events, end } = gathered;
    const [event] = events;
    if (event === undefined || outcome.kind === 'stopped') return 'wait';
    if (outcome.kind === 'delivered') {
      failures = 0;
      metrics.delivered(name, events.length);
      for (const one of events) countMissed(metrics, name, one);
      await moveTo(gathered, true);
      return 'on';
    }
    metrics.failed(name);
    const state = sinceNow(await current(), clock());
    const { reason } = outcome;
    if (outcome.kind === 'refused' || isExpired(state, config.retryForMs, clock())) {
      if (events.length === 1) return giveUp(event, gathered, reason);
      // One of them may be what is refused: they are told apart one by one.
      await save({ ...state, through: end.seq, alone: true, reason });
      return 'on';
    }
    if (state.failingSince === null || state.reason !== reason) {
      const failingSince = state.failingSince ?? clock().toISOString();
      await save({ ...state, failingSince, reason });
    }
    return pause(outcome.askedMs);
  }

  function forget(): void {
    stored = null;
    scanned = null;
  }

  return {
    isDue: () => now() >= dueAt,
    look,
    async step(lease) {
      const state = await current();
      const after = scanned ?? { seq: state.seq, hash: state.hash };
      const { through } = state;
      const most = state.alone ? 1 : config.batch;
      const ask = { after, most, through, wants: parts.wants, at: clock() };
      const gathered = await gather(source, ask);
      await look();
      const { events, end } = gathered;
      if (events.length === 0) return passOver(state, gathered);
      // From the same place to the same entry it is the same batch again.
      if (events.length > 1 && through !== end.seq) {
        await save({ ...state, ...after, through: end.seq });
      }
      const signal = AbortSignal.any([stopping, lease]);
      return settle(await parts.send(events, signal), gathered);
    },
    async retryLetters(lease) {
      const rows = await markedLetters(tables, name, LETTERS_AT_ONCE);
      for (const row of rows) {
        if (stopping.aborted || lease.aborted) return;
        const signal = AbortSignal.any([stopping, lease]);
        const event = eventOf(row);
        // One that somebody altered must not stop the stream.
        const outcome: Outcome =
          event === null
            ? { kind: 'refused', reason: 'the dead letter cannot be read' }
            : await parts.send([event], signal);
        if (outcome.kind === 'stopped') return;
        if (outcome.kind === 'delivered') {
          metrics.delivered(name, 1);
          await dropLetters(tables, name, [row.id]);
        } else {
          metrics.failed(name);
          await failedAgain(tables, row, outcome.reason, clock());
        }
      }
    },
    forget,
    broke() {
      forget();
      pause(null);
    },
    lag: () => Math.max(0, known.end - known.done),
  };
}

/** Where a stream begins that was never sent. */
export async function firstState({
  config,
  source,
}: Pick<PumpParts, 'config' | 'source'>): Promise<StreamState> {
  return stateAt(config.from === 'beginning' ? { seq: 0, hash: '' } : await source.end());
}

/** A clock that was set back must not make the wait for a receiver longer than it may be. */
function sinceNow(state: StreamState, at: Date): StreamState {
  const { failingSince } = state;
  if (failingSince === null || Date.parse(failingSince) <= at.getTime()) return state;
  return { ...state, failingSince: null };
}

function isExpired({ failingSince }: StreamState, retryForMs: number, at: Date): boolean {
  return failingSince !== null && at.getTime() - Date.parse(failingSince) >= retryForMs;
}

function countMissed(metrics: StreamMetrics, name: string, event: StreamEvent): void {
  if (event.kind === 'gap') metrics.missed(name, lastSeq(event) - firstSeq(event) + 1);
}
