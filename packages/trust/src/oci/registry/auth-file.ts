import { parseJson } from '../../bytes/json.ts';
import { asObject, asString, type Cursor, cursor, member, optional } from '../../bytes/shape.ts';
import { quote, TrustFault } from '../../fault/fault.ts';
import { parseRegistryHost } from '../reference.ts';
import type { Credentials } from './options.ts';

/** A file of credentials in the form that Docker and the containers tools share. */
export interface AuthFile {
  readonly path: string;
  /** All members, for writing the file back. */
  readonly document: Readonly<Record<string, unknown>>;
  readonly auths: Readonly<Record<string, unknown>>;
  readonly credHelpers: Readonly<Record<string, string>>;
  readonly credsStore?: string;
}

/** The file's content. Throws `credentials.malformed`, whose message shows none of it. */
export function parseAuthFile(bytes: Uint8Array, path: string): AuthFile {
  let value: unknown;
  try {
    value = bytes.length === 0 ? {} : parseJson(bytes, 'the file');
  } catch (cause) {
    throw new TrustFault('credentials.malformed', `${quote(path)} is not JSON`, undefined, {
      cause,
    });
  }
  const at = cursor(value, path, 'credentials.malformed');
  const credsStore = optional(member(at, 'credsStore'), asString);
  return {
    path,
    document: asObject(at),
    auths: optional(member(at, 'auths'), asObject) ?? {},
    credHelpers: optional(member(at, 'credHelpers'), asStrings) ?? {},
    ...(credsStore === undefined || credsStore === '' ? {} : { credsStore }),
  };
}

/**
 * The names under which tools keep a registry's credentials, the one to write first. Docker Hub's
 * is the address of an API that is long gone.
 */
export function serverNames(registry: string): readonly string[] {
  return registry === 'docker.io'
    ? ['https://index.docker.io/v1/', 'docker.io', 'index.docker.io', 'registry-1.docker.io']
    : [registry, `https://${registry}`];
}

/**
 * The stored credentials for `registry/repository`. Of several entries the longest namespace
 * counts (containers-auth.json(5)); an entry without secrets is none.
 */
export function findEntry(
  file: AuthFile,
  registry: string,
  repository: string,
): Credentials | undefined {
  let best = { length: -1, key: '' };
  for (const key of Object.keys(file.auths)) {
    const name = entryName(key);
    const wanted = `${registry}/${repository}`;
    const isMatch = name === registry || name === wanted || wanted.startsWith(`${name}/`);
    if (isMatch && name.length > best.length) best = { length: name.length, key };
  }
  return best.length === -1 ? undefined : readEntry(file, best.key);
}

/** A key as `host[/namespace…]` with a canonical host, or the key itself when it is none. */
function entryName(key: string): string {
  const isUrl = /^https?:\/\//.test(key);
  const rest = key.replace(/^https?:\/\//, '');
  const slash = rest.indexOf('/');
  const host = slash === -1 ? rest : rest.slice(0, slash);
  try {
    const canonical = parseRegistryHost(host);
    // Docker's keys are URLs whose path (/v1/, /v2/) says nothing.
    return isUrl || slash === -1
      ? canonical
      : `${canonical}${rest.slice(slash).replace(/\/+$/, '')}`;
  } catch {
    return key;
  }
}

function readEntry(file: AuthFile, key: string): Credentials | undefined {
  // The path of the cursor names the entry; no fault of these readers shows a secret.
  const at: Cursor = {
    value: file.auths[key],
    path: `${file.path}: auths[${quote(key)}]`,
    code: 'credentials.malformed',
  };
  const token = secret(at, 'identitytoken');
  if (token !== undefined) return { kind: 'identity-token', token };
  const bearer = secret(at, 'registrytoken');
  if (bearer !== undefined) return { kind: 'registry-token', token: bearer };
  const username = secret(at, 'username');
  const password = secret(at, 'password');
  if (username !== undefined && password !== undefined) {
    return { kind: 'password', username, password };
  }
  const auth = secret(at, 'auth');
  if (auth === undefined) return undefined;
  const text = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '');
  const colon = text.indexOf(':');
  if (colon === -1) {
    throw new TrustFault(
      'credentials.malformed',
      `expected USER:PASSWORD in base64 at ${at.path}.auth`,
    );
  }
  return { kind: 'password', username: text.slice(0, colon), password: text.slice(colon + 1) };
}

function secret(at: Cursor, name: string): string | undefined {
  const { value } = member(at, name);
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') {
    throw new TrustFault('credentials.malformed', `expected a string at ${at.path}.${name}`);
  }
  return value;
}

function asStrings(at: Cursor): Readonly<Record<string, string>> {
  const found: Record<string, string> = Object.create(null);
  for (const key of Object.keys(asObject(at))) found[key] = asString(member(at, key));
  return found;
}
