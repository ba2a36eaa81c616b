import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT, type Stage } from './stage.ts';

const START_MS = 60_000;
const STOP_MS = 20_000;
/** The launcher as it is built: `bulla` of the PATH starts another Node, which a signal would miss. */
const LAUNCHER = join(ROOT, 'packages/cli/bin/bulla.js');

/** What a server is started with. */
export interface UpWanted {
  /** The name of the data folder on the stage; by default `data`. */
  readonly data?: string;
  /** Addresses; by default one of plain HTTP on a free port. */
  readonly listen?: readonly string[];
  /** Policy files or folders; none: those of the data folder, which the first start writes. */
  readonly policies?: readonly string[];
  /** Further options of `bulla up`. */
  readonly more?: readonly string[];
  /** Programs before `node`, such as strace and its options; they must become it. */
  readonly under?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Told of the process at once, long before it is ready. */
  readonly spawned?: (child: ChildProcess) => void;
}

/** The built server as a process of its own. Disposing it is `stop`. */
export interface RunningServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, the first address. */
  readonly origin: string;
  /** Its `127.0.0.1:PORT`, as references begin. */
  readonly host: string;
  readonly addresses: readonly string[];
  /** The host by which policies match the local store. */
  readonly registry: string;
  readonly caFile: string | null;
  readonly data: string;
  readonly pid: number;
  /** What the first start on a folder tells, once; null on a later one. */
  readonly secrets: { readonly pushToken: string; readonly signInLink: string } | null;
  /** Of `secrets`; fails where there are none. */
  readonly pushToken: string;
  /** The files that the first start wrote; null where policies were named or there. */
  readonly starter: Starter | null;
  /** What it wrote on standard error so far. */
  readonly said: () => string;
  readonly isRunning: () => boolean;
  /** SIGHUP: policies and certificates are read again. */
  readonly reload: () => void;
  /** SIGTERM, and waits for the end, which must be exit 0. */
  readonly stop: () => Promise<void>;
  /** SIGKILL, and waits for the end; also for one that came from elsewhere. */
  readonly kill: () => Promise<void>;
}

/** Paths of what the first start made. */
export interface Starter {
  readonly policyFile: string;
  readonly keyFile: string;
  readonly publicKeyFile: string;
  readonly passphraseFile: string;
}

interface ReadyLine {
  readonly ready: true;
  readonly addresses: readonly string[];
  readonly registry: string;
  readonly caFile: string | null;
  readonly signIn: string | null;
  readonly pushToken: string | null;
  readonly starter: Starter | null;
}

/** Starts the built `bulla up` and resolves when it is ready; rejects when it ends before. */
export async function startUp(stage: Stage, wanted: UpWanted = {}): Promise<RunningServer> {
  const { listen = ['http://127.0.0.1:0'], policies = [], more = [] } = wanted;
  const data = stage.path(wanted.data ?? 'data');
  const named = [
    ...listen.flatMap((url) => ['--listen', url]),
    ...policies.flatMap((path) => ['--policy', path]),
  ];
  return startServing(stage, ['up', '--data', data, ...named, ...more, '-o', 'json'], data, wanted);
}

/** What a server that pulls through is configured for. */
export interface ServeWanted {
  /** The members of `gateway:` in `bulla.yaml`, as YAML of two spaces. */
  readonly gateway: string;
  readonly policies: readonly string[];
  /** The value of `listen`; by default one address of plain HTTP on a free port. */
  readonly listen?: string;
  /** Further members of the file, as YAML; each with its end. */
  readonly more?: string;
  /** The name of the data folder on the stage; by default `data`. */
  readonly data?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the built `bulla serve` by a configuration file, and resolves when it is ready. */
export async function startServe(stage: Stage, wanted: ServeWanted): Promise<RunningServer> {
  const data = stage.path(wanted.data ?? 'data');
  await mkdir(data, { recursive: true });
  const file = await stage.write(
    'bulla.yaml',
    `data: ${JSON.stringify(data)}
listen: ${wanted.listen ?? '[{ url: "http://127.0.0.1:0" }]'}
policies: ${JSON.stringify(wanted.policies)}
log: { level: warn }
${wanted.more ?? ''}gateway:
${wanted.gateway}`,
  );
  return startServing(stage, ['serve', '--config', file, '-o', 'json'], data, wanted);
}

async function startServing(
  stage: Stage,
  args: readonly string[],
  data: string,
  { under = [], env = {}, spawned }: Pick<UpWanted, 'under' | 'env' | 'spawned'> = {},
): Promise<RunningServer> {
  const [program = '', ...rest] = [...under, process.execPath, LAUNCHER, ...args];
  const child = spawn(program, rest, {
    cwd: stage.folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: stage.folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  spawned?.(child);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  // A test process that dies early must not leave the server behind.
  const last = (): void => void child.kill('SIGKILL');
  process.once('exit', last);
  child.once('exit', () => process.off('exit', last));
  try {
    const line = await readyLine(child, () => said);
    return running(child, line, data, () => said);
  } catch (error) {
    await ended(child, 'SIGKILL');
    throw error;
  }
}

async function readyLine(child: ChildProcess, said: () => string): Promise<ReadyLine> {
  const { stdout } = child;
  assert.ok(stdout !== null);
  const lines = createInterface({ input: stdout });
  return new Promise((resolve, reject) => {
    const fail = (what: string) => reject(new Error(`the server ${what}\n${said()}`));
    const timer = setTimeout(() => fail('was not ready in time'), START_MS);
    child.once('error', reject);
    child.once('close', (code) => fail(`ended with ${code} before it was ready`));
    lines.once('line', (line) => {
      clearTimeout(timer);
      resolve(JSON.parse(line) as ReadyLine);
    });
    child.once('close', () => clearTimeout(timer));
  });
}

function running(
  child: ChildProcess,
  line: ReadyLine,
  data: string,
  said: () => string,
): RunningServer {
  const [origin = ''] = line.addresses;
  const { registry, addresses, caFile, starter } = line;
  const stop = async () => {
    if (child.signalCode === 'SIGKILL') return;
    const code = await ended(child, 'SIGTERM');
    assert.equal(code, 0, `the server ended with ${code}\n${said()}`);
  };
  const { pushToken, signIn } = line;
  const secrets = pushToken === null || signIn === null ? null : { pushToken, signInLink: signIn };
  return {
    origin,
    host: new URL(origin).host,
    addresses,
    registry,
    caFile,
    data,
    pid: child.pid ?? 0,
    starter,
    secrets,
    get pushToken() {
      assert.ok(secrets !== null, 'only the first start on a folder tells the push token');
      return secrets.pushToken;
    },
    said,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    reload: () => void child.kill('SIGHUP'),
    stop,
    kill: async () => void (await ended(child, 'SIGKILL')),
    [Symbol.asyncDispose]: stop,
  };
}

async function ended(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exit = once(child, 'exit');
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await exit;
  clearTimeout(timer);
  return child.exitCode;
}

/** A policy that admits what one key signed. */
export interface SignedPolicy {
  readonly name: string;
  readonly pub: string;
  /** Whole names that it is about; by default all. */
  readonly images?: string;
  readonly mode?: 'enforce' | 'warn' | 'audit';
  /** Further lines of `spec`, two spaces in and each with its end. */
  readonly more?: string;
  /** The name of a trust root in whose log the signature must be. */
  readonly trustRoot?: string;
}

/** The text of a policy that asks for the signature of one key. */
export function signedPolicy(wanted: SignedPolicy): string {
  const { name, pub, images = '**', mode = 'enforce', more = '', trustRoot } = wanted;
  const log = trustRoot === undefined ? '' : `, trustRoot: ${trustRoot}`;
  return `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: ${name} }
spec:
  images: [{ glob: "${images}" }]
  mode: ${mode}
${more}  authorities:
    release: { key: { ref: "${pub}"${log} } }
  require:
    signed: { of: [release] }
`;
}

/** What a token may do: `pull`, `push`, `delete`, `sign` in the repositories of a glob. */
export interface TokenWanted {
  readonly name: string;
  readonly repository: string;
  readonly actions: readonly ('pull' | 'push' | 'delete' | 'sign')[];
}

/** The owner of a server, signed in: the one who may make tokens. */
export interface Owner {
  readonly makeToken: (wanted: TokenWanted) => Promise<string>;
  /** A request to the product API, by its path below `/api/bulla/v1`. */
  readonly ask: (method: string, path: string, body?: object) => Promise<ApiAnswer>;
  /** What makes a request of one's own the owner's. */
  readonly headers: () => { readonly cookie: string };
}

/** What the product API answered; `json` is null for an empty body. */
export interface ApiAnswer {
  readonly status: number;
  readonly text: string;
  // What a test reads of it, it checks.
  // biome-ignore lint/suspicious/noExplicitAny: an answer is looked into as it came
  readonly json: any;
}

/** Uses the sign-in link of the first start, as the console's page does. */
export async function signInOwner(server: RunningServer): Promise<Owner> {
  let cookie = '';
  const ask: Owner['ask'] = async (method, path, body) => {
    const answer = await fetch(`${server.origin}/api/bulla/v1${path}`, {
      method,
      headers: {
        origin: server.origin,
        cookie,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    cookie = answer.headers.get('set-cookie')?.split(';', 1)[0] ?? cookie;
    const text = await answer.text();
    const isJson = answer.headers.get('content-type')?.includes('json') === true;
    return { status: answer.status, text, json: isJson ? JSON.parse(text) : null };
  };
  const { hash } = new URL(server.secrets?.signInLink ?? assert.fail('this is no first start'));
  const link = new URLSearchParams(hash.slice(1)).get('token');
  const owner = { name: 'ann', password: 'a seal of clay, dried' };
  const signedIn = await ask('POST', '/session/link', { link, ...owner });
  assert.equal(signedIn.status, 200, signedIn.text);
  return {
    ask,
    headers: () => ({ cookie }),
    async makeToken({ name, repository, actions }) {
      const repositories = [{ repository, actions }];
      const made = await ask('POST', '/tokens', { name, repositories });
      assert.ok(made.status === 200 || made.status === 201, made.text);
      return String(made.json.secret);
    },
  };
}

/** Credentials as Basic has them; the name beside a token is anybody's. */
export function basic(token: string): { readonly authorization: string } {
  return { authorization: `Basic ${Buffer.from(`token:${token}`).toString('base64')}` };
}

/** A registry token to pull one repository, as clients fetch it: with an API token, or for nobody. */
export async function pullToken(
  { origin }: Pick<RunningServer, 'origin'>,
  repository: string,
  token: string | null = null,
): Promise<{ readonly authorization: string }> {
  const challenge = (await fetch(`${origin}/v2/`)).headers.get('www-authenticate') ?? '';
  const [, realm = '', service = ''] =
    /^Bearer realm="([^"]+)",service="([^"]+)"/.exec(challenge) ?? [];
  const query = new URLSearchParams({ service, scope: `repository:${repository}:pull` });
  const headers = token === null ? {} : basic(token);
  const answer = await fetch(`${realm}?${query}`, { headers });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return { authorization: `Bearer ${JSON.parse(text).token}` };
}

const PATIENCE_MS = 30_000;

/** Asks again until it holds: for what a server does soon after it was told, such as a reload. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(20)) {
    if (await holds()) return;
  }
  assert.fail(`in ${PATIENCE_MS} ms it never came to this: ${what}`);
}

/** That a server runs on, takes requests, and has said of no defect. */
export async function assertUnharmed(server: RunningServer): Promise<void> {
  assert.ok(server.isRunning(), server.said());
  assert.equal((await fetch(`${server.origin}/readyz`)).status, 200);
  assert.doesNotMatch(server.said(), /internal\.defect|\n\s+at |unhandled/i);
}
