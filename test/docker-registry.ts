import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 5_000;

/** A running registry of Debian's `docker-registry` 2.8: no referrers API, deletion allowed. */
export interface DockerRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`, plain HTTP, no authentication. */
  readonly host: string;
  /** Stops the program and removes its folder; may be called twice. */
  readonly close: () => Promise<void>;
}

/** What a registry is started for beside storing what is pushed. */
export interface DockerRegistryOptions {
  /** `http://HOST:PORT` of the registry that this one caches: it is read only then. */
  readonly proxyOf?: string;
  /** Where it sends its notifications, with this Authorization header. */
  readonly notifies?: { readonly url: string; readonly authorization: string };
}

/**
 * Starts `program` (the path that `requirePeer(t, 'docker-registry')` gives) on a free loopback
 * port with an empty temporary folder, and resolves once it listens. Rejects with the program's own
 * last lines when it ends or is silent for 20 seconds.
 *
 * @example
 * const program = requirePeer(t, 'docker-registry');
 * if (program === null) return;
 * await using registry = await startDockerRegistry(program);
 */
export async function startDockerRegistry(
  program = 'docker-registry',
  options: DockerRegistryOptions = {},
): Promise<DockerRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'bulla-docker-registry-'));
  const config = join(folder, 'config.yml');
  await writeFile(config, configuration(join(folder, 'data'), options));
  const child = spawn(program, ['serve', config], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '', OTEL_TRACES_EXPORTER: 'none' },
  });
  // A test process that dies early must not leave the registry behind.
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const close = async (): Promise<void> => {
    process.off('exit', kill);
    await stop(child);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const port = await listeningPort(child);
    return { host: `127.0.0.1:${port}`, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A cache remembers what it has in memory, as Debian configures it. */
function configuration(data: string, { proxyOf, notifies }: DockerRegistryOptions): string {
  const proxy = proxyOf === undefined ? '' : `proxy: { remoteurl: ${JSON.stringify(proxyOf)} }\n`;
  const memory = proxyOf === undefined ? '' : '  cache: { blobdescriptor: inmemory }\n';
  return `version: 0.1
log: { level: info, accesslog: { disabled: true } }
storage:
${memory}  filesystem: { rootdirectory: ${JSON.stringify(data)} }
  delete: { enabled: true }
http: { addr: "127.0.0.1:0" }
${proxy}${notifies === undefined ? '' : notifications(notifies)}`;
}

function notifications({ url, authorization }: NonNullable<DockerRegistryOptions['notifies']>) {
  const headers = `{ Authorization: [${JSON.stringify(authorization)}] }`;
  return `notifications:
  endpoints:
    - { name: hooks, url: ${JSON.stringify(url)}, headers: ${headers}, timeout: 1s, threshold: 5, backoff: 1s }
`;
}

/** The port of the line `listening on 127.0.0.1:PORT` that the registry logs. */
function listeningPort(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (what: string): void => {
      clearTimeout(timer);
      reject(new Error(`docker-registry ${what}: ${said.slice(-500)}`));
    };
    const timer = setTimeout(() => fail('did not start in time'), START_TIMEOUT_MS);
    child.once('error', (error) => fail(`did not start (${error.message})`));
    child.once('exit', (code) => fail(`ended with ${code}`));
    const read = (chunk: Buffer): void => {
      // Read on after the start as well: a full pipe would stop the registry.
      said = (said + chunk.toString()).slice(-4_000);
      const port = /listening on 127\.0\.0\.1:(\d+)/.exec(said)?.[1];
      if (port === undefined) return;
      clearTimeout(timer);
      resolve(Number(port));
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}
