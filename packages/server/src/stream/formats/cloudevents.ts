import { kindOf, lastSeq, type StreamEvent, timeOf } from '../event.ts';
import type { FormatOptions } from './format.ts';
import { jsonEvent } from './json.ts';
import { subjectOf } from './subject.ts';

/**
 * An event as a CloudEvent 1.0 in the JSON format (structured mode). `source` and `id` together are
 * unique and stable; `data` is what format `json` sends. Extension attributes have names of lower-case
 * letters and digits (§3, "Attribute Naming Convention").
 */
export function cloudEvent(event: StreamEvent, options: FormatOptions): string {
  const subject = attribute(subjectOf(event));
  const attributes = {
    specversion: '1.0',
    id: event.id,
    // A network-path reference (RFC 3986 §4.2): the record's name is a host and a path.
    source: `//${options.origin}`,
    type: `dev.bulla.record.${kindOf(event)}.v1`,
    time: timeOf(event),
    ...(subject === '' ? {} : { subject }),
    datacontenttype: 'application/json',
    // Of the extension "sequence": text whose order is that of the numbers.
    sequence: String(lastSeq(event)).padStart(16, '0'),
    ...(event.kind === 'gap' ? {} : { recordhash: event.hash }),
  };
  return `${JSON.stringify(attributes).slice(0, -1)},"data":${jsonEvent(event, options)}}`;
}

/** §3.1, "String": no control characters, no noncharacters, no halves of pairs. */
function attribute(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Noncharacter_Code_Point}]/gu, '\u{fffd}')
    .slice(0, 1024)
    .toWellFormed();
}
