import {
  type Field,
  type FieldValues,
  optional,
  readFields,
  required,
} from '@bulla/trust/bytes/yaml/fields';
import { durationMsOf } from '@bulla/trust/bytes/yaml/quantity';
import {
  addProblem,
  addUnexpected,
  listOf,
  type Read,
  readBoolean,
  readText,
  type YamlCursor,
} from '@bulla/trust/bytes/yaml/read';
import { parseRegistryHost } from '@bulla/trust/oci/reference';
import type { ConnectionEntry, RegistryEntry } from './config.ts';
import type { Secret } from './secret.ts';

const UNKNOWN = 'config.unknown-member';
const TIMEOUT_MS = 15_000;

/** A registry as `HOST` or `HOST:PORT`, in its canonical form. */
export const readRegistryHost: Read<string> = (at) => {
  const text = readText(at);
  if (text === undefined) return undefined;
  try {
    return parseRegistryHost(text);
  } catch {
    return addUnexpected(at, 'a registry as HOST or HOST:PORT');
  }
};

/** The members by which every entry of a registry says how that is reached. */
export function connectionFields(readPath: Read<string>, readSecret: Read<Secret>) {
  return {
    usernameEnv: optional(readSecret, null),
    passwordEnv: optional(readSecret, null),
    plainHttp: optional(readBoolean, false),
    privateAddresses: optional(readBoolean, false),
    ownHosts: optional(listOf(readRegistryHost, { max: 32 }), []),
    ca: optional(readPath, null),
    timeout: optional(durationMsOf({ minMs: 100, maxMs: 600_000 }), TIMEOUT_MS),
  } satisfies Readonly<Record<string, Field<unknown>>>;
}

/** What `connectionFields` gave, as the configuration keeps it; undefined where a part is missing. */
export function connectionOf(
  at: YamlCursor,
  fields: FieldValues<ReturnType<typeof connectionFields>>,
): ConnectionEntry | undefined {
  const { usernameEnv, passwordEnv, timeout, ...rest } = fields;
  if ((usernameEnv === null) !== (passwordEnv === null)) {
    return addProblem(at, `expected both usernameEnv and passwordEnv at ${at.place.path}`);
  }
  const credentials =
    usernameEnv === null || passwordEnv === null
      ? null
      : { username: usernameEnv, password: passwordEnv };
  return { ...rest, credentials, timeoutMs: timeout };
}

/** The registries that are asked about images by name, no host twice. */
export function registriesOf(
  readPath: Read<string>,
  readSecret: Read<Secret>,
): Read<readonly RegistryEntry[]> {
  const readAll = listOf((at) => readRegistry(at, readPath, readSecret), { max: 200 });
  return (at) => {
    const entries = readAll(at);
    const hosts = (entries ?? []).map(({ registry }) => registry);
    const twice = hosts.find((host, index) => hosts.indexOf(host) !== index);
    if (twice === undefined) return entries;
    return addProblem(at, `expected each host once at ${at.place.path}, found ${twice} twice`);
  };
}

function readRegistry(
  at: YamlCursor,
  readPath: Read<string>,
  readSecret: Read<Secret>,
): RegistryEntry | undefined {
  const fields = readFields(
    at,
    { host: required(readRegistryHost), ...connectionFields(readPath, readSecret) },
    UNKNOWN,
  );
  if (fields === undefined) return undefined;
  const { host, ...how } = fields;
  const connection = connectionOf(at, how);
  return connection === undefined ? undefined : { registry: host, ...connection };
}
