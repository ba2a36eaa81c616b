import type { StreamEvent } from '../event.ts';
import type { FormatOptions } from './format.ts';

/**
 * An event as Bulla's own JSON: `{ id, stream, record, seq, hash, previous, entry }`. The entry's text
 * is the one that was hashed, byte for byte, so a receiver can prove the chain by itself
 * (docs/record.md); a gap has `gap` instead.
 */
export function jsonEvent(event: StreamEvent, { stream, origin }: FormatOptions): string {
  const { id } = event;
  if (event.kind === 'gap') {
    const { from, to, reason, at } = event;
    return JSON.stringify({ id, stream, record: origin, gap: { from, to, reason, at } });
  }
  const { seq, hash, previous, text } = event;
  const head = JSON.stringify({ id, stream, record: origin, seq, hash, previous });
  return `${head.slice(0, -1)},"entry":${text}}`;
}
