import { optional, readFields, required } from '@bulla/trust/bytes/yaml/fields';
import { durationMsOf, sizeBytesOf } from '@bulla/trust/bytes/yaml/quantity';
import { addProblem, integerOf, listOf, oneOf, type Read } from '@bulla/trust/bytes/yaml/read';
import { originOf } from './address.ts';
import {
  type AccessSection,
  CONFIG_DEFAULTS,
  type LimitsSection,
  type RecordSection,
  SERVICES,
  type ServerConfig,
  type Service,
} from './config.ts';
import type { Secret } from './secret.ts';

const UNKNOWN = 'config.unknown-member';
const HOUR_MS = 3600_000;
const DAY_MS = 24 * HOUR_MS;

const readLongTime = durationMsOf({ minMs: HOUR_MS, maxMs: 36_500 * DAY_MS });

/** A time, or `forever`, which is null. */
export const readRetention: Read<number | null> = (at) =>
  at.node?.kind === 'scalar' && at.node.value === 'forever' ? null : readLongTime(at);

/** How decisions are recorded. */
export const readRecord: Read<RecordSection> = (at) => {
  const given = CONFIG_DEFAULTS.record;
  const fields = readFields(
    at,
    {
      headEvery: optional(durationMsOf({ minMs: 1000, maxMs: DAY_MS }), given.headEveryMs),
      retention: optional(readRetention, given.retentionMs),
      group: optional(durationMsOf({ minMs: 1, maxMs: 100 }), given.groupMs),
    },
    UNKNOWN,
  );
  if (fields === undefined) return undefined;
  const { headEvery, retention, group } = fields;
  return { headEveryMs: headEvery, retentionMs: retention, groupMs: group };
};

/** How long people and tokens stay signed in. */
export const readAccess: Read<AccessSection> = (at) => {
  const given = CONFIG_DEFAULTS.access;
  const readSession = durationMsOf({ minMs: 60_000, maxMs: 30 * DAY_MS });
  const fields = readFields(
    at,
    {
      session: optional(readSession, given.sessionMs),
      sessionIdle: optional(readSession, given.sessionIdleMs),
      tokenMax: optional(durationMsOf({ minMs: HOUR_MS, maxMs: 3650 * DAY_MS }), given.tokenMaxMs),
    },
    UNKNOWN,
  );
  if (fields === undefined) return undefined;
  const { session, sessionIdle, tokenMax } = fields;
  // Whoever shortens the whole means the pause in it too.
  const idle = Math.min(session, sessionIdle);
  return { sessionMs: session, sessionIdleMs: idle, tokenMaxMs: tokenMax };
};

/** How much one caller, and all together, may ask for. */
export const readLimits: Read<LimitsSection> = (at) => {
  const given = CONFIG_DEFAULTS.limits;
  const fields = readFields(
    at,
    {
      requestsPerSecond: optional(integerOf(1, 1_000_000), given.requestsPerSecond),
      burst: optional(integerOf(1, 10_000_000), given.burst),
      connections: optional(integerOf(1, 1_000_000), given.connections),
      connectionsPerCaller: optional(integerOf(1, 1_000_000), given.connectionsPerCaller),
      headerSize: optional(
        sizeBytesOf({ minBytes: 8 << 10, maxBytes: 1 << 20 }),
        given.headerBytes,
      ),
      drain: optional(durationMsOf({ minMs: 0, maxMs: HOUR_MS }), given.drainMs),
    },
    UNKNOWN,
  );
  if (fields === undefined) return undefined;
  const { headerSize, drain, ...rest } = fields;
  return { ...rest, headerBytes: headerSize, drainMs: drain };
};

/** How much is written down. */
export const readLog: Read<ServerConfig['log']> = (at) =>
  readFields(
    at,
    {
      level: optional(
        oneOf(['debug', 'info', 'warn', 'error', 'silent']),
        CONFIG_DEFAULTS.log.level,
      ),
    },
    UNKNOWN,
  );

/** Where spans go. */
export const readTelemetry: Read<{ readonly otlpEndpoint: string }> = (at) => {
  const readEndpoint = originOf('an address such as http://127.0.0.1:4318');
  const fields = readFields(at, { otlpEndpoint: required(readEndpoint) }, UNKNOWN);
  return fields === undefined ? undefined : { otlpEndpoint: fields.otlpEndpoint.origin };
};

/** Who reads metrics beside this machine. */
export function metricsOf(readSecret: Read<Secret>): Read<ServerConfig['metrics']> {
  return (at) => {
    const fields = readFields(at, { tokenEnv: optional(readSecret, null) }, UNKNOWN);
    if (fields === undefined) return undefined;
    const { tokenEnv } = fields;
    // As long as 96 bits in base64: it must not be guessed by trying.
    if (tokenEnv !== null && tokenEnv.reveal().length < 16) {
      return addProblem(at, `expected ${tokenEnv.variable} to hold at least 16 characters`);
    }
    return { token: tokenEnv };
  };
}

/** The services that this process runs, each once. */
export const readOnly: Read<readonly Service[]> = (at) => {
  const services = listOf(oneOf(SERVICES), { min: 1, max: SERVICES.length })(at);
  return services === undefined ? undefined : [...new Set(services)];
};
