import { dirname, resolve } from 'node:path';
import { optional, readFields, required } from '@bulla/trust/bytes/yaml/fields';
import { parseYamlDocuments } from '@bulla/trust/bytes/yaml/parse';
import { hasErrors, type Problem, problemAt } from '@bulla/trust/bytes/yaml/problem';
import {
  addProblem,
  keysOf,
  listOf,
  type Read,
  readDocument,
  readText,
  recordOf,
} from '@bulla/trust/bytes/yaml/read';
import { readOrigin } from './address.ts';
import { admissionOf } from './admission.ts';
import { CONFIG_DEFAULTS, type ServerConfig } from './config.ts';
import { gatekeeperOf } from './gatekeeper.ts';
import { gatewayOf } from './gateway.ts';
import { hooksOf } from './hooks.ts';
import { kubernetesOf } from './kubernetes.ts';
import { listenOf } from './listen.ts';
import { registriesOf } from './registries.ts';
import { type Environment, secretOf } from './secret.ts';
import {
  metricsOf,
  readAccess,
  readLimits,
  readLog,
  readOnly,
  readRecord,
  readTelemetry,
} from './settings.ts';
import { storageOf } from './storage.ts';
import { streamsOf } from './streams.ts';
import { readAliases } from './upstreams.ts';

/** A configuration, or null and what is wrong; problems may also be remarks on a good one. */
export interface ParsedConfig {
  readonly config: ServerConfig | null;
  readonly problems: readonly Problem[];
}

const INVALID = 'config.invalid';
const UNKNOWN = 'config.unknown-member';

/**
 * `bulla.yaml` with its defaults filled in. `file` is the path that problems name, and its folder the
 * one from which paths in it start. Every mistake is a problem with its line and column:
 * `config.invalid`, `config.unknown-member` with the nearest right word, `config.environment-unset`,
 * `http.plain-not-loopback`. An empty file is all defaults. Never throws.
 */
export function parseConfig(
  bytes: Uint8Array,
  file: string,
  environment: Environment,
): ParsedConfig {
  const { documents, problems } = parseYamlDocuments(bytes, file, INVALID);
  if (hasErrors(problems)) return { config: null, problems };
  const [document, second] = documents;
  if (second !== undefined) {
    const problem = problemAt(second.place, INVALID, 'expected one document, found a second one');
    return { config: null, problems: [...problems, problem] };
  }
  const folder = dirname(resolve(file));
  if (document === undefined) return { config: defaultConfig(folder), problems };
  const read = readDocument(document, INVALID, configOf(folder, environment));
  return { config: read.value, problems: [...problems, ...read.problems] };
}

/** What holds without any file; the data folder is within `folder`. */
export function defaultConfig(folder: string): ServerConfig {
  return { ...CONFIG_DEFAULTS, data: resolve(folder, CONFIG_DEFAULTS.data) };
}

function configOf(folder: string, environment: Environment): Read<ServerConfig> {
  const readPath = pathIn(folder);
  const readSecret = secretOf(environment);
  const fallback = defaultConfig(folder);
  return (at) =>
    readFields(
      at,
      {
        data: optional(readPath, fallback.data),
        listen: optional(listenOf(readPath), fallback.listen),
        origin: optional(readOrigin, fallback.origin),
        storage: optional(storageOf(readPath, readSecret), fallback.storage),
        policies: optional(listOf(readPath), fallback.policies),
        trustRoots: optional(trustRootsOf(readPath), fallback.trustRoots),
        environment: optional(readText, fallback.environment),
        aliases: optional(readAliases, fallback.aliases),
        gateway: optional(gatewayOf(readPath, readSecret), fallback.gateway),
        registries: optional(registriesOf(readPath, readSecret), fallback.registries),
        hooks: optional(hooksOf(readSecret), fallback.hooks),
        record: optional(readRecord, fallback.record),
        streams: optional(streamsOf(readPath, readSecret), fallback.streams),
        access: optional(readAccess, fallback.access),
        limits: optional(readLimits, fallback.limits),
        kubernetes: optional(kubernetesOf(readPath), fallback.kubernetes),
        gatekeeper: optional(gatekeeperOf(readPath), fallback.gatekeeper),
        admission: optional(admissionOf(readPath), fallback.admission),
        log: optional(readLog, fallback.log),
        telemetry: optional(readTelemetry, fallback.telemetry),
        metrics: optional(metricsOf(readSecret), fallback.metrics),
        only: optional(readOnly, fallback.only),
      },
      UNKNOWN,
    );
}

function pathIn(folder: string): Read<string> {
  return (at) => {
    const text = readText(at);
    return text === undefined ? undefined : resolve(folder, text);
  };
}

function trustRootsOf(readPath: Read<string>): Read<ServerConfig['trustRoots']> {
  const readRoots = recordOf((at) => readFields(at, { file: required(readPath) }, UNKNOWN));
  return (at) => {
    const malformed = keysOf(at).find((name) => !/^[a-z0-9][a-z0-9.-]{0,62}$/.test(name));
    if (malformed === undefined) return readRoots(at);
    return addProblem(at, `expected names such as acme at ${at.place.path}, found another`);
  };
}
