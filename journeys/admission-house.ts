// A real API server that asks the built server, by the webhooks as they are shipped.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { plainValue } from '@bulla/trust/bytes/yaml/node';
import { parseYamlDocuments } from '@bulla/trust/bytes/yaml/parse';
import { pushImage } from '../demo/image.ts';
import { mint } from '../packages/server/test/http/tls/mint.ts';
import { openRepository } from './artifact.ts';
import { freePort } from './free-port.ts';
import { type KubeApiServer, startKubeApiServer } from './kube-apiserver.ts';
import { type Owner, type RunningServer, signInOwner, startServe, until } from './server.ts';
import { makeKey, openStage, ROOT, type Stage } from './stage.ts';

// biome-ignore lint/suspicious/noExplicitAny: objects have any shape
export type Json = any;

/** The canonical host of the server's own registry. */
export const HOST = 'registry.example';
/** Somebody with all rights over workloads in a namespace, and none over the webhooks. */
export const DEV = 'dev@acme.example';
/** The namespace that is looked at, and one whose label takes it out of sight. */
export const LOOKED_AT = 'shop';
export const LEFT_OUT = 'open';

/** The images that the house has, each `HOST/NAME:TAG` by its digest. */
const SIGNED = ['prod/app:1', 'prod/app:2', 'prod/side:1', 'prod/dry:1', 'prod/moved:1'] as const;
const UNSIGNED = [
  'prod/app:unsigned',
  'prod/side:unsigned',
  'prod/dry:unsigned',
  'prod/quiet:unsigned',
  'lab/app:1',
];

/** What a test wants beside the usual. */
export interface AdmissionWanted {
  /** Further members of `admission:`, of two spaces, each with its end. */
  readonly admission?: string;
  /** Further members of the configuration, each with its end. */
  readonly more?: string;
  /** Globs of further images that have to be signed. */
  readonly images?: readonly string[];
  /** Changes each of the shipped webhooks before it is registered. */
  readonly hook?: (webhook: Json) => void;
  /** Plays while nobody is asked yet: what it creates was there before Bulla. */
  readonly before?: (kube: KubeApiServer, house: AdmissionImages) => Promise<void>;
}

/** Names of images. */
export interface AdmissionImages {
  /** `HOST/NAME:TAG@DIGEST` of `NAME:TAG`. */
  readonly pinned: (name: string) => string;
  readonly digest: (name: string) => string;
}

/** An API server that asks. */
export interface AdmissionHouse extends AsyncDisposable, AdmissionImages {
  readonly stage: Stage;
  readonly kube: KubeApiServer;
  readonly server: RunningServer;
  readonly owner: Owner;
  readonly policy: string;
  readonly keys: Readonly<Record<'release' | 'security' | 'dev', string>>;
  /** Starts the server again, at the address that the webhooks know, on the data that it left. */
  readonly startAgain: () => Promise<RunningServer>;
  /** Pushes something else, which nobody signs, by a tag that is there. */
  readonly move: (name: string) => Promise<void>;
  /** Has an exception for an image requested and approved; resolves to its end. */
  readonly except: (name: string) => Promise<() => Promise<void>>;
}

function policies(pubs: Readonly<Record<'release' | 'security', string>>, more: readonly string[]) {
  const globs = [`${HOST}/prod/**`, ...more].map((glob) => `{ glob: "${glob}" }`).join(', ');
  const signed = `  authorities:
    release: { key: { ref: "${pubs.release}" } }
    security: { key: { ref: "${pubs.security}" } }
  require: { signed: { of: [release] } }
`;
  const named = (name: string, spec: string) =>
    `apiVersion: bulla.dev/v1\nkind: TrustPolicy\nmetadata: { name: ${name} }\nspec:\n${spec}${signed}`;
  return {
    production: `${named('production', `  images: [${globs}]\n`)}  exceptions: { approvers: [security], maxDuration: 72h, maxScope: digest }\n`,
    lab: named('lab', `  images: [{ glob: "${HOST}/lab/**" }]\n  mode: warn\n`),
  };
}

/**
 * Starts both, with an owner and images; null, with the test skipped by name, where the API server is
 * missing. Disposing it ends everything.
 */
export async function openAdmissionHouse(
  t: TestContext,
  wanted: AdmissionWanted = {},
): Promise<AdmissionHouse | null> {
  await using opened = new AsyncDisposableStack();
  const kube = await startKubeApiServer(t, [{ name: DEV, groups: ['system:authenticated'] }]);
  if (kube === null) return null;
  opened.use(kube);
  const stage = opened.use(await openStage());
  const [release, security, dev] = [
    await makeKey(stage, 'release'),
    await makeKey(stage, 'security'),
    await makeKey(stage, 'dev'),
  ];
  const texts = policies({ release: release.pub, security: security.pub }, wanted.images ?? []);
  const policy = await stage.write('policies/production.yaml', texts.production);
  await stage.write('policies/lab.yaml', texts.lab);
  const authority = mint('webhook authority');
  const leaf = mint('webhook', { by: authority, purpose: 'server' });
  const port = await freePort();
  const serve = async () =>
    startServe(stage, {
      policies: [stage.path('policies')],
      gateway: `  name: ${HOST}\n`,
      more: `${wanted.more ?? ''}admission:
  listen: https://127.0.0.1:${port}
  certificate: ${await stage.write('tls.crt', leaf.certificate)}
  key: ${await stage.write('tls.key', leaf.key)}
  cluster: prod-eu
${wanted.admission ?? ''}`,
    });
  const running = { server: await serve() };
  opened.defer(() => running.server.stop());
  const owner = await signInOwner(running.server);
  const images = await pushAll(stage, running.server, owner, release.key);
  await settle(kube);
  await wanted.before?.(kube, images);
  await register(kube, `https://127.0.0.1:${port}`, authority.certificate, wanted.hook);
  const life = opened.move();
  const keys = { release: release.key, security: security.key, dev: dev.key };
  const house = { ...images, stage, kube, owner, policy, keys, server: running.server };
  return {
    ...house,
    move: async (name) => void (await push(house.server, name, 'something else')),
    except: (name) => except(house, `${HOST}/${name.split(':')[0]}@${images.digest(name)}`),
    async startAgain() {
      running.server = await serve();
      return running.server;
    },
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  };
}

async function pushAll(
  stage: Stage,
  server: RunningServer,
  owner: Owner,
  key: string,
): Promise<AdmissionImages> {
  const digests = new Map<string, string>();
  const actions = ['pull', 'push', 'sign'] as const;
  const token = await owner.makeToken({ name: 'release', repository: '**', actions });
  await stage.succeeds(['login', server.host, '-u', 'token', '-p', token]);
  for (const image of [...SIGNED, ...UNSIGNED]) {
    digests.set(image, await push(server, image, image));
  }
  const names = SIGNED.map((image) => `${server.host}/${image}`);
  await Promise.all(names.map((name) => stage.succeeds(['sign', '--key', key, name])));
  const digest = (name: string) => digests.get(name) ?? assert.fail(`no image ${name}`);
  return { digest, pinned: (name) => `${HOST}/${name}@${digest(name)}` };
}

async function push(server: RunningServer, image: string, says: string): Promise<string> {
  const [repository = '', tag = ''] = image.split(':');
  const target = await openRepository(`${server.host}/${repository}`, server.pushToken);
  return pushImage(target, tag, says);
}

/** Two namespaces, and a user with rights over what is in them. */
async function settle(kube: KubeApiServer): Promise<void> {
  const group = 'rbac.authorization.k8s.io';
  const role = { apiVersion: `${group}/v1`, kind: 'ClusterRole', metadata: { name: 'workloads' } };
  const apiGroups = ['', 'apps', 'batch', 'policy', 'acme.example'];
  await kube.create(`/apis/${group}/v1/clusterroles`, {
    ...role,
    rules: [{ apiGroups, resources: ['*'], verbs: ['*'] }],
  });
  for (const [name, labels] of [
    [LOOKED_AT, {}],
    [LEFT_OUT, { 'bulla.dev/admission': 'ignore' }],
  ] as const) {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
    await kube.create('/api/v1/namespaces', namespace);
    // The controller that makes it runs beside no API server of a test.
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
    await kube.create(`/api/v1/namespaces/${name}/serviceaccounts`, account);
    await kube.create(`/apis/${group}/v1/namespaces/${name}/rolebindings`, {
      ...role,
      kind: 'RoleBinding',
      roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'workloads' },
      subjects: [{ apiGroup: group, kind: 'User', name: DEV }],
    });
  }
  const pods = `/api/v1/namespaces/${LOOKED_AT}/pods`;
  await until('rights hold', async () => (await kube.askAs(DEV, 'GET', pods)).status === 200);
}

/** The shipped configurations and the guard of their label; the Service lies in no network of this API server. */
async function register(
  kube: KubeApiServer,
  origin: string,
  authority: string,
  change?: (webhook: Json) => void,
): Promise<void> {
  const webhooks = await manifest('webhook.yaml');
  assert.equal(webhooks.length, 2);
  for (const configuration of webhooks) {
    for (const webhook of configuration.webhooks) {
      const { path } = webhook.clientConfig.service;
      const caBundle = Buffer.from(authority).toString('base64');
      webhook.clientConfig = { url: `${origin}${path}`, caBundle };
      change?.(webhook);
    }
    await kube.create(registrations(configuration), configuration);
  }
  for (const guard of await manifest('webhook-guard.yaml')) {
    await kube.create(registrations(guard), guard);
  }
  const probe = podOf('probe', `${HOST}/prod/app:unsigned`);
  const path = `/api/v1/namespaces/${LOOKED_AT}/pods?dryRun=All`;
  await until('the API server asks', async () => {
    return (await kube.ask('POST', path, probe)).status === 403;
  });
  const namespace = `/api/v1/namespaces/${LOOKED_AT}?dryRun=All`;
  const out = { metadata: { labels: { 'bulla.dev/admission': 'ignore' } } };
  await until('the label is guarded', async () => {
    return (await kube.askAs(DEV, 'PATCH', namespace, out)).status === 403;
  });
}

async function manifest(name: string): Promise<readonly Json[]> {
  const file = join(ROOT, 'deploy/kubernetes', name);
  return parseYamlDocuments(await readFile(file), name, 'policy.malformed').documents.map(
    plainValue,
  );
}

/** Where configurations of this kind are created. */
function registrations({ kind }: Json): string {
  const plural = kind.toLowerCase().replace(/y$/, 'ie');
  return `/apis/admissionregistration.k8s.io/v1/${plural}s`;
}

/** One person asks, another approves; `bulla exception` as they would use it. */
async function except(
  house: Pick<AdmissionHouse, 'stage' | 'server' | 'owner' | 'policy' | 'keys'>,
  image: string,
): Promise<() => Promise<void>> {
  const { stage, server, owner, policy, keys } = house;
  const permissions = ['exceptions.read', 'exceptions.request', 'exceptions.manage', 'record.read'];
  const tokenOf = async (more: object) => {
    const made = await owner.ask('POST', '/tokens', { name: 'except', permissions, ...more });
    assert.equal(made.status, 200, made.text);
    return { BULLA_SERVER: server.origin, BULLA_TOKEN: String(made.json.secret) };
  };
  const bob = await owner.ask('POST', '/users', { name: 'bob', role: 'admin' });
  const [asking, approving] = [await tokenOf({}), await tokenOf({ user: bob.json.user.id })];
  const [request, approved] = [stage.path('request.json'), stage.path('approved.json')];
  await stage.succeeds([
    ...['exception', 'request', image, '--name', 'late', '--for-policy', 'production'],
    ...['--policy', policy, '--clause', 'require', '--identity', 'dev@acme.example'],
    ...['--reason', 'the signer is down', '--control', 'canary only', '--until', '1h'],
    ...['--key', keys.dev, '--write', request],
  ]);
  await stage.succeeds(['exception', 'submit', request], asking);
  await stage.succeeds([
    ...['exception', 'approve', request, '--identity', 'security@acme.example'],
    ...['--key', keys.security, '--write', approved, '--yes'],
  ]);
  await stage.succeeds(['exception', 'submit', approved], approving);
  const revoke = ['exception', 'revoke', 'late', '--reason', 'the signer is back'];
  return async () => void (await stage.succeeds(revoke, asking));
}

/** A Pod of one container, and whatever else is said of it. */
export function podOf(name: string, image: string, { metadata = {}, ...spec }: Json = {}): Json {
  const containers = [{ name: 'app', image }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ...metadata },
    spec: { automountServiceAccountToken: false, containers, ...spec },
  };
}
