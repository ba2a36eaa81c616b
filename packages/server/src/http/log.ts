import { printable, TrustFault } from '@bulla/trust/fault/fault';
import { type Logger, pino } from 'pino';
import type { Observe } from './observe.ts';

/** What is written down, from the most to the least. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** What a line says beside its message. Values are cut, cleaned and redacted by `clean`. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Lines for whoever runs the server. Writing one never throws. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log whose lines all carry these fields. */
  with(fields: LogFields): Log;
}

/** Where lines go: each call has one line with its line feed. */
export interface LineSink {
  write(line: string): void;
}

/**
 * A log of JSON lines: `{"level":"info","time":"2026-11-21T12:00:00.000Z",…,"message":"…"}`, on
 * standard error unless a sink is given. Foreign text cannot begin a line of its own, move a
 * terminal's cursor or reverse its text, and nothing under a name of a secret is written.
 */
export function createLog(level: LogLevel, sink: LineSink = standardError()): Log {
  const logger = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    sink,
  );
  return wrap(logger);
}

function standardError(): LineSink {
  const destination = pino.destination({ fd: 2, sync: true });
  // A log that nobody reads any more must not end the server.
  destination.on('error', () => undefined);
  return destination;
}

function wrap(logger: Logger): Log {
  const line = (level: 'debug' | 'info' | 'warn' | 'error') => {
    return (message: string, fields: LogFields = {}): void => {
      if (!logger.isLevelEnabled(level)) return;
      logger[level](cleanFields(fields), cleanText(message));
    };
  };
  return {
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    with: (fields) => wrap(logger.child(cleanFields(fields))),
  };
}

/**
 * One line a request: defects of Bulla at `error`, other faults of the server itself at `warn`, and
 * everything else at `debug`. Queries and headers are not written.
 */
export function logRequests(log: Log): Observe {
  return ({ fault, ...facts }) => {
    const fields = { ...facts, durationMs: Math.round(facts.durationMs * 1000) / 1000 };
    if (fault === null) log.debug('request', fields);
    else if (fault.code === 'internal.defect') log.error('request failed', { ...fields, fault });
    else if (facts.status >= 500) log.warn('request failed', { ...fields, fault });
    else log.debug('request refused', { ...fields, code: fault.code });
  };
}

const TEXT_MOST = 2048;
const ENTRIES_MOST = 50;
const DEPTH_MOST = 5;
const REDACTED = '[redacted]';
// Ends of names, so that `tokenId` and `passwordChangedAt` stay readable.
const SECRET_NAME =
  /(?:authorization|cookie|cookies|password|passphrase|token|secret|secrets|credential|credentials|apikey|privatekey)$/;
const SECRET_TEXT = /\b(Bearer|Basic)\s+[^\s"',;]+/gi;
const USER_INFO = /:\/\/[^\s/@]+@/g;

function cleanFields(fields: LogFields): Record<string, unknown> {
  const cleaned = cleanObject(fields, 0);
  return Object.fromEntries(
    // What a line itself has cannot be said twice by a field.
    Object.entries(cleaned).map(([name, value]) => [
      /^(?:level|time|message)$/.test(name) ? `${name}_` : name,
      value,
    ]),
  );
}

function cleanText(text: string): string {
  const cut = text.length > TEXT_MOST ? `${text.slice(0, TEXT_MOST)}…` : text;
  return printable(
    cut.replace(SECRET_TEXT, `$1 ${REDACTED}`).replace(USER_INFO, `://${REDACTED}@`),
  );
}

function cleanObject(value: object, depth: number): Record<string, unknown> {
  const cleaned: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value).slice(0, ENTRIES_MOST)) {
    const plain = name.toLowerCase().replace(/[^a-z0-9]/g, '');
    cleaned[cleanText(name)] =
      SECRET_NAME.test(plain) && member !== undefined && member !== null
        ? REDACTED
        : cleanValue(member, depth + 1);
  }
  return cleaned;
}

function cleanValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (depth > DEPTH_MOST) return '[deep]';
  if (value instanceof Date) return value;
  if (value instanceof Error) return cleanError(value, depth);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) {
    return value.slice(0, ENTRIES_MOST).map((item) => cleanValue(item, depth + 1));
  }
  return cleanObject(value, depth);
}

function cleanError(error: Error, depth: number): Record<string, unknown> {
  const known = error instanceof TrustFault ? { code: error.code } : {};
  const defect = !(error instanceof TrustFault) || error.code === 'internal.defect';
  // The first line of a stack repeats the message.
  const frames = defect
    ? (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
    : [];
  return {
    ...known,
    name: cleanText(error.name),
    message: cleanText(error.message),
    ...(frames.length === 0
      ? {}
      : { at: frames.slice(0, 10).map((line) => cleanText(line.trim())) }),
    ...(error.cause === undefined ? {} : { cause: cleanValue(error.cause, depth + 1) }),
  };
}
