import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { request } from 'node:https';
import { startRegistry } from '@bulla/server/registry';
import { pushImage } from '../demo/image.ts';
import { type ApiServer, apiServer } from '../packages/server/test/admission/api-server.ts';
import { type Minted, mint } from '../packages/server/test/http/tls/mint.ts';
import { openRepository } from './artifact.ts';
import { freePort } from './free-port.ts';
import {
  type Owner,
  type RunningServer,
  type ServeWanted,
  signedPolicy,
  signInOwner,
  startServe,
} from './server.ts';
import { makeKey, openStage, type Stage } from './stage.ts';

/** What a test says of the house; all has a default. */
export interface DoorsWanted {
  /** The folder of the server's data on the stage. */
  readonly data?: string;
  /** Further members of the configuration file, as YAML; each with its end. */
  readonly more?: string;
  /** Further members of `limits:`, as YAML in a line, after a comma. */
  readonly limits?: string;
  readonly stage?: Stage;
  /** Further policies, by the name of their file. */
  readonly policies?: Readonly<Record<string, string>>;
}

/** What the registry behind the doors does with a request. */
export type Mood = 'serves' | 'hangs' | 'drips' | 'cuts';

/** The registry behind the doors, as a test has it now. */
export interface Behind {
  mood: Mood;
  /** The one repository that meets the mood; null: all. */
  repository: string | null;
}

/** A server with every door open, before one registry. */
export interface AllDoors extends AsyncDisposable {
  readonly stage: Stage;
  /** The one that runs: after `restart` another. */
  server: RunningServer;
  readonly owner: Owner;
  readonly ports: { readonly admission: number; readonly gatekeeper: number };
  readonly authority: Minted;
  readonly key: string;
  /** The host of the registry. */
  readonly host: string;
  readonly registry: Behind;
  /** Whole references by digest: one is signed. */
  readonly images: { readonly signed: string; readonly unsigned: string };
  readonly api: ApiServer;
  readonly hooksToken: string;
  /** Pushes an image, signed unless said otherwise, and gives its reference by digest. */
  readonly push: (name: string, signs?: boolean) => Promise<string>;
  /** Another replica, with a data folder and ports of its own. */
  readonly replica: (data: string) => Promise<Replica>;
  /** The same server again, after it ended. */
  readonly restart: () => Promise<RunningServer>;
  /** Asks as Gatekeeper does, and gives the status and the body. */
  readonly gatekeeper: (path: string, body: string, headers?: object) => Promise<Answered>;
}

/** A second server on what the first one shares. */
export interface Replica extends AsyncDisposable {
  readonly server: RunningServer;
  readonly api: ApiServer;
}

interface Answered {
  readonly status: number;
  readonly text: string;
}

const SERVICE = { name: 'bulla', namespace: 'bulla-system' };
const HOOKS_TOKEN = 'a-token-of-the-hooks-1234';

/** Opens all doors. The registry is one in memory behind a proxy that has moods. */
export async function openAllDoors(wanted: DoorsWanted = {}): Promise<AllDoors> {
  await using opened = new AsyncDisposableStack();
  const stage = wanted.stage ?? opened.use(await openStage());
  const registry = opened.use(await startRegistry({ storage: 'memory' }));
  const behind: Behind = { mood: 'serves', repository: null };
  const proxy = opened.use(await startProxy(registry.host, behind));
  const { key, pub } = await makeKey(stage, 'release');
  const push: AllDoors['push'] = async (name, signs = true) => {
    const digest = await pushImage(await openRepository(`${registry.host}/${name}`), 'v1', name);
    // Signed where the doors look for it: what is behind the proxy is the same.
    if (signs) await stage.succeeds(['sign', '--key', key, `${proxy.host}/${name}@${digest}`]);
    return `${proxy.host}/${name}@${digest}`;
  };
  const images = { signed: await push('team/signed'), unsigned: await push('team/bad', false) };
  const policy = signedPolicy({ name: 'release-only', pub, images: `${proxy.host}/**` });
  const policies = { 'release.yaml': policy, ...wanted.policies };
  for (const [name, text] of Object.entries(policies)) await stage.write(`policies/${name}`, text);
  const authority = mint('doors authority');
  const client = mint('gatekeeper', { by: authority, purpose: 'client' });
  const ports = { admission: await freePort(), gatekeeper: await freePort() };
  await writeCertificate(stage, authority);
  await stage.write('ca.crt', authority.certificate);
  const asked = (at: AllDoors['ports'], data?: string): ServeWanted => ({
    policies: ['policies'],
    gateway: '  anonymousPull: loopback\n',
    env: { HOOKS_TOKEN },
    ...(data === undefined ? {} : { data }),
    more: `registries:
  - { host: "${proxy.host}", plainHttp: true, privateAddresses: true, timeout: 3s }
limits: { drain: 500ms${wanted.limits ?? ''} }
admission:
  listen: https://127.0.0.1:${at.admission}
  certificate: tls.crt
  key: tls.key
  cluster: journey
gatekeeper:
  { listen: "https://127.0.0.1:${at.gatekeeper}", certificate: tls.crt, key: tls.key, clientCa: ca.crt }
hooks:
  senders: [{ kind: distribution, registry: "${proxy.host}", tokenEnv: HOOKS_TOKEN }]
${wanted.more ?? ''}`,
  });
  const openApi = (port: number) =>
    apiServer({ port, caBundle: authority.certificate, service: SERVICE });
  const server = await startServe(stage, asked(ports, wanted.data));
  const house = { server };
  opened.defer(() => house.server.stop());
  const owner = await signInOwner(server);
  const api = openApi(ports.admission);
  opened.defer(() => api.close());
  const life = opened.move();
  return Object.assign(house, {
    ...{ stage, owner, ports, authority, key, images, api, push },
    host: proxy.host,
    hooksToken: HOOKS_TOKEN,
    registry: behind,
    async restart() {
      const [listen] = house.server.addresses;
      const again = { ...asked(ports, wanted.data), listen: `[{ url: "${listen}" }]` };
      house.server = await startServe(stage, again);
      return house.server;
    },
    async replica(data: string) {
      const own = { admission: await freePort(), gatekeeper: await freePort() };
      const other = await startServe(stage, asked(own, data));
      const its = openApi(own.admission);
      return {
        ...{ server: other, api: its },
        async [Symbol.asyncDispose]() {
          its.close();
          await other.stop();
        },
      };
    },
    gatekeeper: (path: string, body: string, headers = {}) =>
      askGatekeeper({ port: ports.gatekeeper, authority, client }, path, body, headers),
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  });
}

/** Writes the certificate of the TLS doors and its key, as `tls.crt` and `tls.key`. */
export async function writeCertificate(
  stage: Stage,
  authority: Minted,
  days: readonly [number, number] = [-1, 1],
): Promise<Minted> {
  const names = [`${SERVICE.name}.${SERVICE.namespace}.svc`];
  const leaf = mint('doors', { by: authority, purpose: 'server', names, days });
  await stage.write('tls.key', leaf.key);
  await stage.write('tls.crt', leaf.certificate);
  return leaf;
}

async function startProxy(host: string, behind: Behind) {
  const server = createServer((incoming, response) => {
    const { mood, repository } = behind;
    const meets = repository === null || incoming.url?.startsWith(`/v2/${repository}/`) === true;
    switch (meets ? mood : 'serves') {
      case 'hangs':
        return;
      case 'cuts':
        incoming.socket.destroy();
        return;
      case 'drips':
        drip(response);
        return;
      default:
        pass(host, incoming, response).catch(() => response.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return {
    host: `127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A byte now and then, as of a manifest that never ends. */
function drip(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' });
  const ticking = setInterval(() => response.write(' '), 50);
  response.on('close', () => clearInterval(ticking));
}

async function pass(host: string, incoming: IncomingMessage, response: ServerResponse) {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part);
  const { method = 'GET', url = '/', headers } = incoming;
  const sent = Object.entries(headers).flatMap(([name, value]) =>
    ['accept', 'content-type', 'range'].includes(name) ? [[name, String(value)]] : [],
  );
  const answer = await fetch(`http://${host}${url}`, {
    method,
    headers: Object.fromEntries(sent),
    redirect: 'manual',
    ...(['GET', 'HEAD'].includes(method) ? {} : { body: Buffer.concat(parts) }),
  });
  const bytes = Buffer.from(await answer.arrayBuffer());
  const told = [...answer.headers].filter(
    ([name]) => !['connection', 'transfer-encoding'].includes(name),
  );
  response.writeHead(answer.status, Object.fromEntries(told));
  response.end(method === 'HEAD' ? undefined : bytes);
}

function askGatekeeper(
  at: { readonly port: number; readonly authority: Minted; readonly client: Minted },
  path: string,
  body: string,
  headers: object,
): Promise<Answered> {
  const { port, authority, client } = at;
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        ...{ host: '127.0.0.1', port, path, method: 'POST', agent: false },
        ...{ ca: authority.certificate, cert: client.certificate, key: client.key },
        headers: { 'content-type': 'application/json', ...headers },
      },
      (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('error', reject);
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString() }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
