import { join } from 'node:path';
import { quote, TrustFault } from '../../fault/fault.ts';
import { isSystemError } from '../system-error.ts';
import { type AuthFile, findEntry, parseAuthFile, serverNames } from './auth-file.ts';
import type { Credentials, RegistryOptions } from './options.ts';

const FILE_LIMIT = 1 << 20;

/** A file of credentials, and how it is written. */
interface AuthPath {
  readonly path: string;
  /** Docker's config.json also names helpers; containers' auth.json holds namespaces. */
  readonly isDocker: boolean;
}

/**
 * The credentials for `registry/repository`: those of the options, else of the first file that has
 * any: REGISTRY_AUTH_FILE, Docker's config.json (helpers before stored ones, credHelpers before
 * credsStore), the containers tools' auth.json. Undefined: ask without. Throws
 * `credentials.malformed` or `credentials.helper-failed`.
 */
export async function findCredentials(
  registry: string,
  repository: string,
  options: RegistryOptions,
): Promise<Credentials | undefined> {
  const { username, password, token } = options;
  if (token !== undefined) return { kind: 'registry-token', token };
  if (username !== undefined && password !== undefined) {
    return { kind: 'password', username, password };
  }
  for (const { path } of authPaths(options)) {
    const file = await readAuthFile(path);
    const found = file && (await fromFile(file, registry, repository, options));
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * Stores the credentials of a registry as `docker login` does: through the helper that is configured
 * for it, else in the file (mode 0600, replaced atomically, other members kept). Answers where.
 */
export async function saveCredentials(
  registry: string,
  credentials: Credentials & { readonly kind: 'password' },
  options: RegistryOptions,
): Promise<string> {
  const { path } = writtenPath(options);
  const file = (await readAuthFile(path)) ?? parseAuthFile(Buffer.from('{}'), path);
  const helper = helperOf(file, registry);
  const [server = registry] = serverNames(registry);
  if (helper !== undefined) {
    const { runHelper } = await import('./credential-helper.ts');
    const { username, password } = credentials;
    const request = { ServerURL: server, Username: username, Secret: password };
    await runHelper(helper, 'store', JSON.stringify(request), options);
    return `docker-credential-${helper}`;
  }
  const auth = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64');
  await writeAuths(path, file, (auths) => ({ ...auths, [server]: { auth } }));
  return path;
}

/** Forgets the credentials of a registry, in its helper or file; false when there were none. */
export async function removeCredentials(
  registry: string,
  options: RegistryOptions,
): Promise<boolean> {
  const { path } = writtenPath(options);
  const file = await readAuthFile(path);
  if (file === undefined) return false;
  const helper = helperOf(file, registry);
  const names = serverNames(registry);
  if (helper !== undefined) {
    const { runHelper } = await import('./credential-helper.ts');
    const [server = registry] = names;
    if ((await runHelper(helper, 'get', server, options)) === undefined) return false;
    await runHelper(helper, 'erase', server, options);
    return true;
  }
  const isThere = names.some((name) => Object.hasOwn(file.auths, name));
  if (!isThere) return false;
  await writeAuths(path, file, (auths) =>
    Object.fromEntries(Object.entries(auths).filter(([name]) => !names.includes(name))),
  );
  return true;
}

function authPaths({ env, homeFolder }: RegistryOptions): readonly AuthPath[] {
  const named = env['REGISTRY_AUTH_FILE'];
  const runtime = env['XDG_RUNTIME_DIR'];
  const docker = env['DOCKER_CONFIG'] || join(homeFolder, '.docker');
  const config = env['XDG_CONFIG_HOME'] || join(homeFolder, '.config');
  return [
    ...(named ? [{ path: named, isDocker: false }] : []),
    { path: join(docker, 'config.json'), isDocker: true },
    ...(runtime ? [{ path: join(runtime, 'containers', 'auth.json'), isDocker: false }] : []),
    { path: join(config, 'containers', 'auth.json'), isDocker: false },
  ];
}

function writtenPath(options: RegistryOptions): AuthPath {
  const [first] = authPaths(options);
  if (first === undefined)
    throw new TrustFault('internal.defect', 'there is no path for credentials');
  return first;
}

async function readAuthFile(path: string): Promise<AuthFile | undefined> {
  const { readFile, stat } = await import('node:fs/promises');
  try {
    if ((await stat(path)).size > FILE_LIMIT) {
      throw new TrustFault(
        'credentials.malformed',
        `${quote(path)} is larger than ${FILE_LIMIT} bytes`,
      );
    }
    return parseAuthFile(await readFile(path), path);
  } catch (cause) {
    if (cause instanceof TrustFault) throw cause;
    if (isSystemError(cause, 'ENOENT') || isSystemError(cause, 'ENOTDIR')) return undefined;
    throw new TrustFault('credentials.malformed', `cannot read ${quote(path)}`, undefined, {
      cause,
    });
  }
}

function helperOf(file: AuthFile, registry: string): string | undefined {
  const own = serverNames(registry).find((name) => Object.hasOwn(file.credHelpers, name));
  return (own === undefined ? undefined : file.credHelpers[own]) || file.credsStore;
}

async function fromFile(
  file: AuthFile,
  registry: string,
  repository: string,
  options: RegistryOptions,
): Promise<Credentials | undefined> {
  const helper = helperOf(file, registry);
  if (helper !== undefined) {
    const { askHelper } = await import('./credential-helper.ts');
    for (const name of serverNames(registry)) {
      const found = await askHelper(helper, name, options);
      if (found !== undefined) return found;
      // A helper for this host alone knows it by the name under which it was configured.
      if (file.credsStore !== helper && Object.hasOwn(file.credHelpers, name)) break;
    }
  }
  return findEntry(file, registry, repository);
}

async function writeAuths(
  path: string,
  file: AuthFile,
  change: (auths: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>,
): Promise<void> {
  const { writePrivately } = await import('./auth-writer.ts');
  const auths = change(file.auths);
  await writePrivately(path, `${JSON.stringify({ ...file.document, auths }, null, 2)}\n`);
}
