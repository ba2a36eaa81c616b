import { decodeBase64 } from '@bulla/trust/bytes/base64';
import { optional, readFields, required } from '@bulla/trust/bytes/yaml/fields';
import { durationMsOf } from '@bulla/trust/bytes/yaml/quantity';
import {
  addProblem,
  addUnexpected,
  integerOf,
  keysOf,
  listOf,
  memberOf,
  oneOf,
  type Read,
  readBoolean,
  readString,
  readText,
  recordOf,
  textOf,
  type YamlCursor,
} from '@bulla/trust/bytes/yaml/read';
import { isLoopbackHost } from '@bulla/trust/oci/loopback';
import { compilePattern } from '@bulla/trust/policy/pattern';
import type { Secret } from './secret.ts';

/** How a receiver wants the record. The last four are alerts: one event a request. */
export const STREAM_FORMATS = [
  'json',
  'cef',
  'ecs',
  'cloudevents',
  'slack',
  'msteams',
  'opsgenie',
  'template',
] as const;

/** One of the formats. */
export type StreamFormat = (typeof STREAM_FORMATS)[number];

/**
 * Which entries a receiver wants. What is null asks nothing. A filter that says something of
 * decisions only, or of acts only, leaves the others out; without either everything is sent.
 */
export interface StreamFilter {
  readonly effects: readonly string[] | null;
  readonly policies: readonly string[] | null;
  /** Globs: `*` stays within `/`. */
  readonly repositories: readonly string[] | null;
  readonly namespaces: readonly string[] | null;
  readonly surfaces: readonly string[] | null;
  /** Globs: `exception.*`. */
  readonly acts: readonly string[] | null;
}

/** A receiver of the record. */
export interface StreamEntry {
  readonly name: string;
  /** A secret where the path is one, as with Slack and Teams. */
  readonly url: string | Secret;
  readonly format: StreamFormat;
  readonly template: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly headersEnv: Readonly<Record<string, Secret>>;
  /** Of Standard Webhooks, the newest first. */
  readonly signing: readonly Secret[];
  readonly filter: StreamFilter | null;
  readonly batch: number;
  readonly timeoutMs: number;
  readonly retryForMs: number;
  readonly ca: string | null;
  readonly privateAddresses: boolean;
  readonly from: 'end' | 'beginning';
  readonly priority: number | null;
}

const UNKNOWN = 'config.unknown-member';
const HOUR_MS = 3600_000;
const DAY_MS = 24 * HOUR_MS;
const ALERTS: readonly StreamFormat[] = ['slack', 'msteams', 'opsgenie', 'template'];
const BATCH = 100;
/** Standard Webhooks: a secret has 24 to 64 bytes. */
const KEY_LEAST = 24;
const KEY_MOST = 64;

const readName = textOf(
  /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
  'a name of lower-case letters, digits and hyphens, such as siem,',
);

/** Whether the receivers of this format get one event at a time. */
export function isAlertFormat(format: StreamFormat): boolean {
  return ALERTS.includes(format);
}

/** The receivers of the record, no name twice. */
export function streamsOf(
  readPath: Read<string>,
  readSecret: Read<Secret>,
): Read<readonly StreamEntry[]> {
  const readAll = listOf((at) => readStream(at, readPath, readSecret), { max: 50 });
  return (at) => {
    const streams = readAll(at);
    const names = (streams ?? []).map(({ name }) => name);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice === undefined) return streams;
    return addProblem(at, `expected each name once at ${at.place.path}, found ${twice} twice`);
  };
}

function readStream(
  at: YamlCursor,
  readPath: Read<string>,
  readSecret: Read<Secret>,
): StreamEntry | undefined {
  const fields = readFields(
    at,
    {
      name: required(readName),
      url: optional(readText, null),
      urlEnv: optional(readSecret, null),
      format: optional(oneOf(STREAM_FORMATS), 'json' as const),
      template: optional(readPath, null),
      headers: optional(headersOf(readHeaderValue), {}),
      headersEnv: optional(headersOf(headerSecretOf(readSecret)), {}),
      signingEnv: optional(listOf(signingOf(readSecret), { min: 1, max: 2 }), []),
      filter: optional(readFilter, null),
      batch: optional(integerOf(1, 1000), null),
      timeout: optional(durationMsOf({ minMs: 100, maxMs: 300_000 }), 10_000),
      retryFor: optional(durationMsOf({ minMs: 1000, maxMs: 30 * DAY_MS }), DAY_MS),
      ca: optional(readPath, null),
      privateAddresses: optional(readBoolean, false),
      plainHttp: optional(readBoolean, false),
      from: optional(oneOf(['end', 'beginning']), 'end' as const),
      priority: optional(integerOf(1, 5), null),
    },
    UNKNOWN,
  );
  if (fields === undefined) return undefined;
  const { urlEnv, signingEnv, timeout, retryFor, plainHttp, ...rest } = fields;
  const url = urlOf(at, fields.url, urlEnv, plainHttp);
  if (url === undefined) return undefined;
  const isAlert = isAlertFormat(rest.format);
  if (isAlert && (rest.batch ?? 1) !== 1) {
    return addProblem(memberOf(at, 'batch'), `expected no batch beside format ${rest.format}`);
  }
  if ((rest.format === 'template') !== (rest.template !== null)) {
    return addProblem(
      at,
      `expected template at ${at.place.path} with format template, and with no other`,
    );
  }
  const batch = rest.batch ?? (isAlert ? 1 : BATCH);
  return { ...rest, url, batch, signing: signingEnv, timeoutMs: timeout, retryForMs: retryFor };
}

function urlOf(
  at: YamlCursor,
  given: string | null,
  secret: Secret | null,
  plainHttp: boolean,
): string | Secret | undefined {
  const path = at.place.path;
  const text = given ?? secret?.reveal();
  if (text === undefined || (given !== null && secret !== null)) {
    return addProblem(at, `expected one of url and urlEnv at ${path}`);
  }
  const url = URL.canParse(text) ? new URL(text) : null;
  const isPlain = url?.protocol === 'http:';
  const isSound =
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    `${url.username}${url.password}${url.hash}` === '';
  // Never the text itself: it may be a secret.
  if (!isSound) {
    return addProblem(
      at,
      `expected an address such as https://siem.example/in, without user and password, at ${path}`,
    );
  }
  if (isPlain && !plainHttp && !isLoopbackHost(url.hostname)) {
    return addProblem(at, `expected https:// at ${path}, found http://`, {
      remedy: 'Give the receiver a certificate; in a network of your own, say plainHttp: true.',
    });
  }
  return secret ?? url.href;
}

// What the request itself is made of; another value would change what is sent, or to whom.
const OWN_HEADERS =
  /^(?:host|connection|content-length|content-type|content-encoding|transfer-encoding|te|trailer|upgrade|expect|keep-alive|proxy-.*|webhook-.*)$/;

function headersOf<T>(readValue: Read<T>): Read<Readonly<Record<string, T>>> {
  const readAll = recordOf(readValue);
  return (at) => {
    const wrong = keysOf(at).find(
      (name) => !/^[A-Za-z0-9-]{1,64}$/.test(name) || OWN_HEADERS.test(name.toLowerCase()),
    );
    if (wrong === undefined) return readAll(at);
    return addProblem(at, `expected names of headers that a receiver adds, at ${at.place.path}`);
  };
}

const HEADER_VALUE = /^[\t\x20-\x7e]{1,4096}$/;

const readHeaderValue: Read<string> = (at) => {
  const text = readString(at);
  if (text === undefined) return undefined;
  return HEADER_VALUE.test(text) ? text : addUnexpected(at, 'a header of one line of ASCII');
};

function headerSecretOf(readSecret: Read<Secret>): Read<Secret> {
  return (at) => {
    const secret = readSecret(at);
    if (secret === undefined || HEADER_VALUE.test(secret.reveal())) return secret;
    return addProblem(at, `expected ${secret.variable} to hold one line of ASCII`);
  };
}

function signingOf(readSecret: Read<Secret>): Read<Secret> {
  return (at) => {
    const secret = readSecret(at);
    if (secret === undefined || signingKey(secret) !== null) return secret;
    const form = `whsec_ and base64, or text, of ${KEY_LEAST} to ${KEY_MOST} bytes`;
    return addProblem(at, `expected ${secret.variable} to hold ${form}`);
  };
}

/** The key of a secret of Standard Webhooks: `whsec_` and base64, or text as it is; null: neither. */
export function signingKey(secret: Secret): Uint8Array | null {
  const text = secret.reveal();
  const key = text.startsWith('whsec_') ? base64Of(text.slice(6)) : Buffer.from(text);
  return key !== null && key.length >= KEY_LEAST && key.length <= KEY_MOST ? key : null;
}

function base64Of(text: string): Uint8Array | null {
  try {
    return decodeBase64(text);
  } catch {
    return null;
  }
}

const readGlob: Read<string> = (at) => {
  const glob = readText(at);
  if (glob === undefined) return undefined;
  try {
    compilePattern({ glob });
    return glob;
  } catch {
    return addUnexpected(at, 'a glob such as registry.example/prod/**');
  }
};

const readFilter: Read<StreamFilter> = (at) => {
  const some = <T>(read: Read<T>) => optional(listOf(read, { min: 1, max: 200 }), null);
  return readFields(
    at,
    {
      effects: some(oneOf(['deny', 'warn', 'audit', 'pass'])),
      policies: some(readText),
      repositories: some(readGlob),
      namespaces: some(readText),
      surfaces: some(oneOf(['pull', 'admission', 'gate', 'node', 'watch'])),
      acts: some(readGlob),
    },
    UNKNOWN,
  );
};
