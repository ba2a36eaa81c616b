import { optional, readFields, required } from '@bulla/trust/bytes/yaml/fields';
import { durationMsOf } from '@bulla/trust/bytes/yaml/quantity';
import {
  addProblem,
  addUnexpected,
  listOf,
  memberOf,
  type Read,
  readBoolean,
  readText,
  type YamlCursor,
} from '@bulla/trust/bytes/yaml/read';
import { asFault } from '@bulla/trust/fault/fault';
import { isRepositoryName, parseReference, parseRegistryHost } from '@bulla/trust/oci/reference';
import type { NameAlias } from '@bulla/trust/policy/names';
import type { UpstreamEntry } from './config.ts';
import type { Secret } from './secret.ts';

const UNKNOWN = 'config.unknown-member';
const TIMEOUT_MS = 15_000;
const PREFIX_LONGEST = 128;

const readPrefix: Read<string> = (at) => {
  const text = readText(at);
  if (text === undefined) return undefined;
  if (text.length <= PREFIX_LONGEST && isRepositoryName(text)) return text;
  return addUnexpected(at, 'the beginning of a repository name, such as hub');
};

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

/** The registries that are pulled through, no prefix twice. */
export function upstreamsOf(
  readPath: Read<string>,
  readSecret: Read<Secret>,
): Read<readonly UpstreamEntry[]> {
  const readAll = listOf((at) => readUpstream(at, readPath, readSecret), { max: 200 });
  return (at) => {
    const upstreams = readAll(at);
    const prefixes = (upstreams ?? []).map(({ prefix }) => prefix);
    const twice = prefixes.find((prefix, index) => prefixes.indexOf(prefix) !== index);
    if (twice === undefined) return upstreams;
    return addProblem(at, `expected each prefix once at ${at.place.path}, found ${twice} twice`);
  };
}

function readUpstream(
  at: YamlCursor,
  readPath: Read<string>,
  readSecret: Read<Secret>,
): UpstreamEntry | undefined {
  const fields = readFields(
    at,
    {
      prefix: required(readPrefix),
      registry: required(readRegistryHost),
      usernameEnv: optional(readSecret, null),
      passwordEnv: optional(readSecret, null),
      users: optional(readUsers, null),
      plainHttp: optional(readBoolean, false),
      privateAddresses: optional(readBoolean, false),
      ownHosts: optional(listOf(readRegistryHost, { max: 32 }), []),
      ca: optional(readPath, null),
      timeout: optional(durationMsOf({ minMs: 100, maxMs: 600_000 }), TIMEOUT_MS),
    },
    UNKNOWN,
  );
  if (fields === undefined) return undefined;
  const { usernameEnv, passwordEnv, users, timeout, ...rest } = fields;
  if ((usernameEnv === null) !== (passwordEnv === null)) {
    return addProblem(at, `expected both usernameEnv and passwordEnv at ${at.place.path}`);
  }
  const credentials =
    usernameEnv === null || passwordEnv === null
      ? null
      : { username: usernameEnv, password: passwordEnv };
  // Semantics 19: credentials serve only callers who were granted the prefix.
  if (credentials !== null && (users === null || users === 'anyone')) {
    const message = `expected users: signed-in, or a list of them, beside credentials at ${at.place.path}`;
    return addProblem(memberOf(at, 'users'), message, {
      remedy: 'Name the users, or the tokens, whom the credentials of this upstream may serve.',
    });
  }
  return { ...rest, credentials, users: users ?? 'anyone', timeoutMs: timeout };
}

const readUsers: Read<UpstreamEntry['users']> = (at) => {
  if (at.node?.kind === 'list') return listOf(readText, { min: 1, max: 1000 })(at);
  const word = at.node?.kind === 'scalar' ? at.node.value : null;
  if (word === 'anyone' || word === 'signed-in') return word;
  return addUnexpected(at, 'anyone, signed-in, or a list of users');
};

/** Other names of registries and repositories: each `from` once, and none that leads on. */
export const readAliases: Read<readonly NameAlias[]> = (at) => {
  const aliases = listOf(readAlias, { max: 1000 })(at);
  if (aliases === undefined) return undefined;
  const seen = new Set<string>();
  for (const { from } of aliases) {
    if (seen.has(from)) return addProblem(at, `found ${from} twice at ${at.place.path}`);
    seen.add(from);
  }
  // One step decides: with two, the order of the list would.
  const onward = aliases.find(({ to }) => [...seen].some((from) => isWithin(to, from)));
  if (onward === undefined) return aliases;
  return addProblem(at, `${onward.to} at ${at.place.path} is itself another name; name its end`);
};

function isWithin(name: string, prefix: string): boolean {
  return name === prefix || name.startsWith(`${prefix}/`);
}

const readAlias: Read<NameAlias> = (at) =>
  readFields(at, { from: required(readNamePrefix), to: required(readNamePrefix) }, UNKNOWN);

/** `mirror.example`, or `mirror.example/hub`, in its canonical form. */
const readNamePrefix: Read<string> = (at) => {
  const text = readText(at);
  if (text === undefined) return undefined;
  try {
    const slash = text.indexOf('/');
    const host = parseRegistryHost(slash === -1 ? text : text.slice(0, slash));
    if (slash === -1) return host;
    const reference = parseReference(`${host}/${text.slice(slash + 1)}/a`);
    const plain = reference.kind === 'registry' && reference.tag === undefined;
    if (plain && reference.digest === undefined) {
      return `${host}/${reference.repository.slice(0, -2)}`;
    }
  } catch (error) {
    if (asFault(error).code === 'internal.defect') throw error;
  }
  return addUnexpected(at, 'HOST or HOST/PATH, such as mirror.example/hub');
};
