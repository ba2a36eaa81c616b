import { isIPv4, isIPv6 } from 'node:net';
import type { ActBody, DecisionBody } from '../../record/body.ts';
import { kindOf, lastSeq, type StreamEvent, timeOf } from '../event.ts';
import type { FormatOptions } from './format.ts';
import { imageOf, priorityOf, reasonOf, verdictOf } from './subject.ts';

/** Extension keys with their values; what is null or empty is left out. */
type Extension = Readonly<Record<string, string | number | null>>;

/**
 * Events as CEF:0 (ArcSight Common Event Format), a line each:
 * `CEF:0|Bulla|Bulla|VERSION|SIGNATURE|NAME|SEVERITY|key=value …`. In the header `\` and `|` are
 * escaped, in values `\`, `=`, and line breaks as `\n` and `\r`; no value can begin a line, a field or
 * a key of its own.
 */
export function cefLines(events: readonly StreamEvent[], options: FormatOptions): string {
  return events.map((event) => `${cefLine(event, options)}\n`).join('');
}

// Priorities 1 to 5 as CEF severities: 9 and 10 are very high, 7 and 8 high, 4 to 6 medium.
const SEVERITY = { 1: 10, 2: 8, 3: 5, 4: 3, 5: 1 } as const;

function cefLine(event: StreamEvent, { version, origin, stream }: FormatOptions): string {
  const { signature, name, extension } = describe(event);
  const header = ['CEF:0', 'Bulla', 'Bulla', version, signature, name].map(headerField).join('|');
  const all: Extension = {
    rt: Date.parse(timeOf(event)),
    dvchost: origin.split(/[:/]/, 1)[0] ?? '',
    ...extension,
    cn1: lastSeq(event),
    cn1Label: 'recordNumber',
    cs6: event.id,
    cs6Label: 'eventId',
    deviceFacility: stream,
  };
  const pairs = Object.entries(all).flatMap(([key, value]) =>
    value === null || value === '' ? [] : [`${key}=${extensionValue(key, value)}`],
  );
  return `${header}|${SEVERITY[priorityOf(event)]}|${pairs.join(' ')}`;
}

interface Described {
  readonly signature: string;
  readonly name: string;
  readonly extension: Extension;
}

function describe(event: StreamEvent): Described {
  if (event.kind === 'gap') {
    const { from, to, reason } = event;
    const msg = `entries ${from} to ${to} are not sent: ${reason}`;
    return {
      signature: 'gap',
      name: 'Entries missing from the stream',
      extension: { msg, reason },
    };
  }
  const { body } = event;
  switch (body.kind) {
    case 'decision':
      return ofDecision(body);
    case 'act':
      return ofAct(body);
    case 'repeats': {
      const cnt = body.items.reduce((sum, { count }) => sum + count, 0);
      return { signature: 'repeats', name: 'Decisions given again', extension: { cnt } };
    }
    case 'pruned': {
      const msg = `retention removed the entries up to ${body.through}`;
      return { signature: kindOf(event), name: 'Record pruned', extension: { msg } };
    }
    default:
      return body satisfies never;
  }
}

function ofDecision(body: DecisionBody): Described {
  const { request, actor, finding } = body;
  const address = request.remoteAddress;
  return {
    signature: `decision.${body.effect}`,
    name: `Image ${verdictOf(body)}`,
    extension: {
      cat: 'decision',
      act: body.effect,
      outcome: body.outcome === 'admit' ? 'success' : 'failure',
      reason: body.code,
      msg: reasonOf(finding),
      externalId: body.id,
      suid: actor.id,
      suser: actor.name,
      src: isIPv4(address) ? address : null,
      ...(isIPv6(address) ? { c6a2: address, c6a2Label: 'Source IPv6 Address' } : {}),
      requestClientApplication: request.userAgent,
      ...labelled('cs1', 'image', imageOf(body)),
      ...labelled('cs2', 'policies', body.policies.map(({ name }) => name).join(', ')),
      ...labelled('cs3', 'surface', body.surface),
      ...labelled('cs4', 'namespace', body.namespace),
      ...labelled('cs5', 'requestId', request.id),
    },
  };
}

function ofAct(body: ActBody): Described {
  return {
    signature: body.act,
    name: body.act,
    extension: {
      cat: 'act',
      act: body.act,
      msg: body.says,
      externalId: body.id,
      suid: body.actor.id,
      suser: body.actor.name,
      ...labelled('cs1', 'subject', body.subject),
    },
  };
}

function labelled(key: string, label: string, value: string | null): Extension {
  return value === null || value === '' ? {} : { [key]: value, [`${key}Label`]: label };
}

function headerField(text: string): string {
  return printableLine(text).slice(0, 512).replace(/[\\|]/g, '\\$&');
}

/** Longest values by the extension dictionary; 1023 where nothing else is said here. */
const LONGEST: Readonly<Record<string, number>> = {
  act: 63,
  outcome: 63,
  externalId: 40,
  dvchost: 100,
  cs1: 4000,
  cs2: 4000,
  cs3: 4000,
  cs4: 4000,
  cs5: 4000,
  cs6: 4000,
};

function extensionValue(key: string, value: string | number): string {
  if (typeof value === 'number') return String(value);
  return value
    .toWellFormed()
    .slice(0, LONGEST[key] ?? 1023)
    .toWellFormed()
    .replace(/[\\=]/g, '\\$&')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ');
}

/** One line: the header knows no escape of a line break. */
function printableLine(text: string): string {
  return text.toWellFormed().replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ');
}
