import { optional, readFields, required } from '@bulla/trust/bytes/yaml/fields';
import {
  addProblem,
  addUnexpected,
  listOf,
  memberOf,
  type Read,
  readText,
  type YamlCursor,
} from '@bulla/trust/bytes/yaml/read';
import { asFault } from '@bulla/trust/fault/fault';
import { isRepositoryName, parseReference, parseRegistryHost } from '@bulla/trust/oci/reference';
import type { NameAlias } from '@bulla/trust/policy/names';
import type { UpstreamEntry } from './config.ts';
import { connectionFields, connectionOf, readRegistryHost } from './registries.ts';
import type { Secret } from './secret.ts';

const UNKNOWN = 'config.unknown-member';
const PREFIX_LONGEST = 128;

const readPrefix: Read<string> = (at) => {
  const text = readText(at);
  if (text === undefined) return undefined;
  if (text.length <= PREFIX_LONGEST && isRepositoryName(text)) return text;
  return addUnexpected(at, 'the beginning of a repository name, such as hub');
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
      users: optional(readUsers, null),
      ...connectionFields(readPath, readSecret),
    },
    UNKNOWN,
  );
  if (fields === undefined) return undefined;
  const { prefix, registry, users, ...how } = fields;
  const connection = connectionOf(at, how);
  if (connection === undefined) return undefined;
  const { credentials } = connection;
  // Semantics 19: credentials serve only callers who were granted the prefix.
  if (credentials !== null && (users === null || users === 'anyone')) {
    const message = `expected users: signed-in, or a list of them, beside credentials at ${at.place.path}`;
    return addProblem(memberOf(at, 'users'), message, {
      remedy: 'Name the users, or the tokens, whom the credentials of this upstream may serve.',
    });
  }
  return { prefix, registry, ...connection, users: users ?? 'anyone' };
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
