// A real Kubernetes API server on loopback, for whoever wants to be believed by one.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureLocalCa } from '@bulla/server/http/tls/local-ca';
import { requirePeer } from '../test/peers.ts';
import { freePort } from './free-port.ts';
import { askApiServer, type KubeAnswer, type PatchKind } from './kube-request.ts';

/** A user of the API server: by its token, in these groups. */
export interface KubeUser {
  readonly name: string;
  readonly groups: readonly string[];
}

/** What a test does with a running API server. */
export interface KubeApiServer extends AsyncDisposable {
  /** `https://127.0.0.1:PORT`. */
  readonly url: string;
  /** Of an administrator. */
  readonly kubeconfig: string;
  /** A kubeconfig of one of the users that it was started with. */
  kubeconfigOf(user: string): string;
  /** As an administrator: `ask('POST', '/api/v1/namespaces', {…})`. Patches are merge patches. */
  ask(method: string, path: string, body?: unknown, patch?: PatchKind): Promise<KubeAnswer>;
  /** As one of the users. */
  askAs(
    user: string,
    method: string,
    path: string,
    body?: unknown,
    patch?: PatchKind,
  ): Promise<KubeAnswer>;
  /** Creates objects by the paths of their kinds, each of which must be accepted, and strictly so. */
  create(path: string, ...objects: readonly object[]): Promise<void>;
  /** Its audit log so far: what changed something, each request once, when it was answered. */
  audited(): Promise<readonly AuditEvent[]>;
  /** What the API server wrote so far. */
  said(): string;
}

/** An event of audit.k8s.io/v1, as far as tests look at it. */
export interface AuditEvent {
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string };
  readonly responseStatus?: { readonly code: number };
  readonly annotations?: Readonly<Record<string, string>>;
}

const AUDIT_POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - { level: Metadata, verbs: [create, update, patch, delete] }
`;

const ADMIN = 'test-admin';
const START_MS = 120_000;

/**
 * Starts etcd and kube-apiserver in a folder of their own, which are ended and removed with the
 * answer; null, with the test skipped by name, where either is missing.
 */
export async function startKubeApiServer(
  t: TestContext,
  users: readonly KubeUser[] = [],
): Promise<KubeApiServer | null> {
  const [etcd, apiserver] = [requirePeer(t, 'etcd'), requirePeer(t, 'kube-apiserver')];
  if (etcd === null || apiserver === null) return null;
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'bulla-kube-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const file = (name: string) => join(folder, name);
  const [port, store, peer] = [await freePort(), await freePort(), await freePort()];
  const tls = await ensureLocalCa({ folder: file('tls'), at: new Date() });
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  await writeFile(file('sa.pub'), publicKey.export({ format: 'pem', type: 'spki' }));
  await writeFile(file('sa.key'), privateKey.export({ format: 'pem', type: 'pkcs8' }));
  const all = [{ name: ADMIN, groups: ['system:masters'] }, ...users];
  const tokens = new Map(all.map(({ name }) => [name, randomBytes(16).toString('hex')]));
  const lines = all.map(
    ({ name, groups }) => `${tokens.get(name)},${name},${name},"${groups.join()}"\n`,
  );
  await writeFile(file('tokens.csv'), lines.join(''));
  await writeFile(file('audit.yaml'), AUDIT_POLICY);
  const client = `http://127.0.0.1:${store}`;
  const peers = `http://127.0.0.1:${peer}`;
  const database = start(etcd, [
    ...['--data-dir', file('etcd'), '--unsafe-no-fsync', '--log-level', 'error'],
    ...['--listen-client-urls', client, '--advertise-client-urls', client],
    ...['--listen-peer-urls', peers, '--initial-advertise-peer-urls', peers],
    ...['--initial-cluster', `default=${peers}`],
  ]);
  opened.use(database);
  const api = start(apiserver, [
    `--etcd-servers=${client}`,
    ...['--bind-address=127.0.0.1', `--secure-port=${port}`, '--endpoint-reconciler-type=none'],
    ...[`--tls-cert-file=${tls.certificateFile}`, `--tls-private-key-file=${tls.keyFile}`],
    ...[`--cert-dir=${file('certs')}`, '--service-cluster-ip-range=10.96.0.0/24'],
    ...[`--token-auth-file=${file('tokens.csv')}`, '--authorization-mode=RBAC'],
    `--service-account-key-file=${file('sa.pub')}`,
    `--service-account-signing-key-file=${file('sa.key')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    '--advertise-address=10.96.0.200',
    ...[`--audit-policy-file=${file('audit.yaml')}`, `--audit-log-path=${file('audit.log')}`],
    // On by default from 1.35; without, 1.34 drops image volumes before it stores an object.
    '--feature-gates=ImageVolume=true',
  ]);
  opened.use(api);
  const url = `https://127.0.0.1:${port}`;
  const ca = await readFile(tls.caFile);
  for (const [name, token] of tokens) {
    await writeFile(file(`${name}.kubeconfig`), kubeconfig(url, tls.caFile, token));
  }
  const askAs: KubeApiServer['askAs'] = (user, ...request) =>
    askApiServer({ url, ca, token: tokens.get(user) ?? '' }, ...request);
  const ask: KubeApiServer['ask'] = (...request) => askAs(ADMIN, ...request);
  await ready(ask, [database, api]);
  const life = opened.move();
  return {
    url,
    kubeconfig: file(`${ADMIN}.kubeconfig`),
    kubeconfigOf: (user) => file(`${user}.kubeconfig`),
    ask,
    askAs,
    async create(path, ...objects) {
      for (const object of objects) {
        const { status, body } = await ask('POST', `${path}?fieldValidation=Strict`, object);
        assert.equal(status, 201, JSON.stringify(body).slice(0, 4000));
      }
    },
    async audited() {
      const log = await readFile(file('audit.log'), 'utf8');
      // The last line may be half written.
      return log
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as AuditEvent);
    },
    said: api.said,
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  };
}

interface Running extends AsyncDisposable {
  readonly child: ChildProcess;
  said(): string;
}

function start(program: string, args: readonly string[]): Running {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const listen = (chunk: Buffer) => {
    said = `${said}${chunk.toString()}`.slice(-200_000);
  };
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  // A test process that dies early must not leave it behind.
  const last = (): void => void child.kill('SIGKILL');
  process.once('exit', last);
  child.once('exit', () => process.off('exit', last));
  return {
    child,
    said: () => said,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    },
  };
}

async function ready(ask: KubeApiServer['ask'], running: readonly Running[]): Promise<void> {
  for (let waited = 0; waited < START_MS; waited += 200) {
    const ended = running.find(({ child }) => child.exitCode !== null);
    if (ended !== undefined) throw new Error(`ended before it was ready:\n${ended.said()}`);
    const answer = await ask('GET', '/readyz').catch(() => null);
    if (answer?.status === 200) return;
    await sleep(200);
  }
  throw new Error(`was not ready in time:\n${running.map(({ said }) => said()).join('\n')}`);
}

function kubeconfig(url: string, ca: string, token: string): string {
  return `apiVersion: v1
kind: Config
current-context: test
clusters: [{ name: test, cluster: { server: "${url}", certificate-authority: ${JSON.stringify(ca)} } }]
users: [{ name: test, user: { token: "${token}" } }]
contexts: [{ name: test, context: { cluster: test, user: test } }]
`;
}
