import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;
const STARTS_MOST = 5;
const run = promisify(execFile);

/** How a server is started. */
export interface PostgresOptions {
  /** With these the server speaks TLS as well, to those who ask for it. */
  readonly tls?: { readonly cert: Uint8Array; readonly key: Uint8Array };
}

/** A running PostgreSQL of Debian's package, with fsync, which trusts whoever reaches its port. */
export interface Postgres extends AsyncDisposable {
  /** The database `postgres`, as its superuser: `postgresql://postgres@127.0.0.1:PORT/postgres`. */
  readonly url: string;
  /** Makes an empty database and answers its URL. */
  readonly database: () => Promise<string>;
  /** Runs SQL as the superuser. */
  readonly sql: (text: string) => Promise<string>;
  /** Ends the server as a crash would (SIGQUIT: no checkpoint). */
  readonly crash: () => Promise<void>;
  /** Starts it again, on the same port and data. */
  readonly restart: () => Promise<void>;
  /** Ends the server and removes its folder; may be called twice. */
  readonly close: () => Promise<void>;
}

/**
 * Starts `program` (the path that `requirePeer(t, 'postgresql')` gives) on a free loopback port with
 * a new cluster in a temporary folder, and resolves once it accepts connections. A server refuses to
 * run as root, so tests that do run it as Debian's user `postgres`. Rejects with the server's own
 * last lines when it ends or is silent for a minute.
 *
 * @example
 * const program = requirePeer(t, 'postgresql');
 * if (program === null) return;
 * await using postgres = await startPostgres(program);
 */
export async function startPostgres(
  program: string,
  options: PostgresOptions = {},
): Promise<Postgres> {
  const bin = dirname(program);
  const folder = await mkdtemp(join(tmpdir(), 'bulla-postgres-'));
  const user = await unprivileged();
  if (user !== null) await chown(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const identity = user ?? {};
  let server: Server | null = null;
  const close = async (): Promise<void> => {
    await server?.stop('SIGINT');
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const how = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'];
    // Words in the order of English, not of their bytes: as databases in the field have it.
    const order = ['--locale=C.UTF-8', '--locale-provider=icu', '--icu-locale=en-US'];
    await run(join(bin, 'initdb'), [...how, ...order], { ...identity, cwd: folder });
    const settings = [
      `unix_socket_directories=${folder}`,
      ...(await tlsSettings(options, folder, identity)),
    ];
    const start = (port: number) => startServer(program, data, port, settings, identity);
    server = await onFreePort(start);
    const { port } = server;
    const urlOf = (name: string) => `postgresql://postgres@127.0.0.1:${port}/${name}`;
    let made = 0;
    const sql = async (text: string): Promise<string> => {
      const args = ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-c', text, urlOf('postgres')];
      return (await run(join(bin, 'psql'), args)).stdout.trim();
    };
    return {
      url: urlOf('postgres'),
      sql,
      async database() {
        const name = `test_${++made}`;
        await sql(`create database ${name}`);
        return urlOf(name);
      },
      crash: async () => server?.stop('SIGQUIT'),
      async restart() {
        await server?.stop('SIGINT');
        server = await start(port);
      },
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The server takes a key only from a file that belongs to its own user. */
async function tlsSettings(
  { tls }: PostgresOptions,
  folder: string,
  { uid, gid }: Identity,
): Promise<readonly string[]> {
  if (tls === undefined) return [];
  const cert = join(folder, 'server.crt');
  const key = join(folder, 'server.key');
  await writeFile(cert, tls.cert);
  await writeFile(key, tls.key, { mode: 0o600 });
  if (uid !== undefined && gid !== undefined) {
    for (const file of [cert, key]) await chown(file, uid, gid);
  }
  return ['ssl=on', `ssl_cert_file=${cert}`, `ssl_key_file=${key}`];
}

type Identity = { readonly uid?: number; readonly gid?: number };

async function unprivileged(): Promise<{ readonly uid: number; readonly gid: number } | null> {
  if (process.getuid?.() !== 0) return null;
  const id = async (flag: string) => Number((await run('id', [flag, 'postgres'])).stdout);
  return { uid: await id('-u'), gid: await id('-g') };
}

interface Server {
  readonly port: number;
  readonly stop: (signal: NodeJS.Signals) => Promise<void>;
}

/** A port that was free may be taken before the server has it: then the next one is tried. */
async function onFreePort(start: (port: number) => Promise<Server>): Promise<Server> {
  for (let tries = 1; ; tries++) {
    try {
      return await start(await freePort());
    } catch (error) {
      const taken = error instanceof Error && error.message.includes('Address already in use');
      if (!taken || tries >= STARTS_MOST) throw error;
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

async function startServer(
  program: string,
  data: string,
  port: number,
  settings: readonly string[],
  identity: Identity,
): Promise<Server> {
  const all = ['listen_addresses=127.0.0.1', 'fsync=on', 'max_connections=60', ...settings];
  const flags = all.flatMap((setting) => ['-c', setting]);
  const child = spawn(program, ['-D', data, '-p', String(port), ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' },
    cwd: data,
    ...identity,
  });
  // A test process that dies early must not leave the server behind.
  const kill = (): void => void child.kill('SIGQUIT');
  process.once('exit', kill);
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    process.off('exit', kill);
    await end(child, signal);
  };
  try {
    await ready(child);
    return { port, stop };
  } catch (error) {
    await stop('SIGQUIT');
    throw error;
  }
}

/** Resolves at the line with which the server says that it accepts connections. */
function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (what: string): void => {
      clearTimeout(timer);
      reject(new Error(`postgres ${what}: ${said.slice(-500)}`));
    };
    const timer = setTimeout(() => fail('did not start in time'), START_TIMEOUT_MS);
    child.once('error', (error) => fail(`did not start (${error.message})`));
    child.once('exit', (code) => fail(`ended with ${code}`));
    child.stderr?.on('data', (chunk: Buffer) => {
      // Read on after the start as well: a full pipe would stop the server.
      said = (said + chunk.toString()).slice(-4_000);
      if (!said.includes('ready to accept connections')) return;
      clearTimeout(timer);
      resolve();
    });
  });
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}
