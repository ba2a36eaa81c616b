import { utf8 } from '@bulla/trust/bytes/byte-string';
import { parseJson } from '@bulla/trust/bytes/json';
import { asCount, asOneOf, asString, cursor, member } from '@bulla/trust/bytes/shape';
import type { Body } from '../record/body.ts';
import { parseBody } from '../record/parse.ts';
import type { Link } from '../record/walk.ts';

/** An entry of the chain on its way to a receiver. */
export interface EntryEvent {
  readonly kind: 'entry';
  /** The entry's number and hash: the same at every attempt, so that a receiver knows it again. */
  readonly id: string;
  readonly seq: number;
  readonly hash: string;
  readonly previous: string;
  /** The body as it was hashed: canonical JSON. */
  readonly text: string;
  readonly body: Body;
}

const GAP_REASONS = ['pruned', 'rewritten', 'unreadable'] as const;

/** What a receiver is told where entries cannot be given. */
export interface GapEvent {
  readonly kind: 'gap';
  readonly id: string;
  /** Numbers of the first and the last entry that the receiver does not get. */
  readonly from: number;
  readonly to: number;
  /**
   * `pruned`: retention overtook the stream. `rewritten`: the chain is not the one that was sent
   * before (a restored backup, or tampering), and begins anew. `unreadable`: the entry was altered.
   */
  readonly reason: (typeof GAP_REASONS)[number];
  readonly at: string;
}

/** What a stream sends. */
export type StreamEvent = EntryEvent | GapEvent;

/** The event of an entry. One that cannot be read is a gap, so that it stops nothing. */
export function entryEvent({ seq, hash, previous, body: text }: Link, at: Date): StreamEvent {
  try {
    const body = parseBody(text, `entry ${seq}`);
    return { kind: 'entry', id: `${seq}-${hash}`, seq, hash, previous, text, body };
  } catch {
    return gapEvent({ from: seq, to: seq, reason: 'unreadable' }, at);
  }
}

/** The event of a gap; its id is the same whenever it is met. */
export function gapEvent(
  { from, to, reason }: Pick<GapEvent, 'from' | 'to' | 'reason'>,
  at: Date,
): GapEvent {
  return { kind: 'gap', id: `${reason}-${from}-${to}`, from, to, reason, at: at.toISOString() };
}

/** Number of the last entry that an event is about. */
export function lastSeq(event: StreamEvent): number {
  return event.kind === 'gap' ? event.to : event.seq;
}

/** Number of the first entry that an event is about. */
export function firstSeq(event: StreamEvent): number {
  return event.kind === 'gap' ? event.from : event.seq;
}

/** When it happened, as ISO 8601. */
export function timeOf(event: StreamEvent): string {
  return event.kind === 'gap' ? event.at : event.body.at;
}

/** What an event is about in one word: the entry's kind, or `gap`. */
export function kindOf(event: StreamEvent): Body['kind'] | 'gap' {
  return event.kind === 'gap' ? 'gap' : event.body.kind;
}

/** An event as a dead letter keeps it. */
export function writeEvent(event: StreamEvent): string {
  if (event.kind === 'gap') return JSON.stringify(event);
  const { kind, seq, hash, previous, text } = event;
  return JSON.stringify({ kind, seq, hash, previous, text });
}

const EVENT_MOST_BYTES = 8 << 20;

/** The event that `writeEvent` wrote. Throws `json.*` and `stream.state-corrupt`. */
export function readEvent(written: string): StreamEvent {
  const where = 'a dead letter';
  const document = parseJson(utf8(written), where, { maxBytes: EVENT_MOST_BYTES });
  const at = cursor(document, where, 'stream.state-corrupt');
  const text = (name: string) => asString(member(at, name));
  const count = (name: string) => asCount(member(at, name));
  if (asOneOf(member(at, 'kind'), ['entry', 'gap']) === 'gap') {
    const reason = asOneOf(member(at, 'reason'), GAP_REASONS);
    return gapEvent({ from: count('from'), to: count('to'), reason }, new Date(text('at')));
  }
  const link = { seq: count('seq'), hash: text('hash'), previous: text('previous') };
  return entryEvent({ ...link, body: text('text') }, new Date(0));
}
