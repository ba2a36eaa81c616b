import type { ChainEnd } from '../record/chain.ts';
import type { Link } from '../record/walk.ts';
import { entryEvent, gapEvent, type StreamEvent } from './event.ts';

/** What a stream reads of the record; always from its tables. */
export interface RecordSource {
  /** At most `limit` entries after this number, in the order of the chain. */
  entries(after: number, limit: number): Promise<readonly Link[]>;
  end(): Promise<ChainEnd>;
}

/** What is to be sent next, and the place that is reached with it. */
export interface Gathered {
  readonly events: readonly StreamEvent[];
  readonly end: ChainEnd;
  /** There may be more behind the place: looking was ended because it had taken long. */
  readonly more?: true;
}

/** What is asked for. */
export interface GatherAsk {
  /** The last place that is done with; an empty hash: begin with whatever stands first. */
  readonly after: ChainEnd;
  readonly most: number;
  /** Entry after which to end; null: where the record ends. */
  readonly through: number | null;
  readonly wants: (event: StreamEvent) => boolean;
  readonly at: Date;
}

const PAGE = 100;
/** Whoever stops the server, or has lost the lease, must not wait for a look through a whole record. */
const PAGES_MOST = 20;
/** One entry may be larger; more than that in one request helps nobody. */
const BATCH_MOST_BYTES = 1 << 20;

/**
 * Reads on from a place until there is enough to send. A gap goes alone: entries that retention took
 * away before they were sent, or a chain that is not the one that was sent before, which then begins
 * anew. Numbers of the record have no holes, so whatever is missing was removed.
 */
export async function gather(source: RecordSource, ask: GatherAsk): Promise<Gathered> {
  const { most, through, wants, at } = ask;
  const events: StreamEvent[] = [];
  let end = ask.after;
  let bytes = 0;
  for (let pages = 0; pages < PAGES_MOST; pages++) {
    const page = await source.entries(end.seq, PAGE);
    if (page.length === 0)
      return (await isRewritten(source, end)) ? anew(end, at) : { events, end };
    for (const link of page) {
      const broken = end.hash === '' ? null : breakAt(link, end, at);
      // What came before it goes first.
      if (broken !== null) return events.length > 0 ? { events, end } : broken;
      const event = entryEvent(link, at);
      if (wants(event)) {
        events.push(event);
        bytes += link.body.length;
      }
      end = { seq: link.seq, hash: link.hash };
      const isEnough = events.length >= most || bytes >= BATCH_MOST_BYTES;
      if (isEnough || link.seq === through) return { events, end };
    }
    if (through !== null && end.seq >= through) return { events, end };
  }
  return { events, end, more: true };
}

function breakAt({ seq, previous }: Link, end: ChainEnd, at: Date): Gathered | null {
  if (seq > end.seq + 1) {
    const event = gapEvent({ from: end.seq + 1, to: seq - 1, reason: 'pruned' }, at);
    return { events: [event], end: { seq: seq - 1, hash: previous } };
  }
  return previous === end.hash ? null : anew(end, at);
}

function anew({ seq }: ChainEnd, at: Date): Gathered {
  const event = gapEvent({ from: 1, to: seq, reason: 'rewritten' }, at);
  return { events: [event], end: { seq: 0, hash: '' } };
}

async function isRewritten(source: RecordSource, { seq, hash }: ChainEnd): Promise<boolean> {
  if (hash === '') return false;
  const end = await source.end();
  return end.seq < seq || (end.seq === seq && end.hash !== hash);
}
