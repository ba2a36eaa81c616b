import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultConfig } from '@bulla/server/config/parse';
import { createLog } from '@bulla/server/http/log';
import { type Server, startServer } from '@bulla/server/main';
import type { Digest } from '@bulla/trust/oci/digest';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference } from '@bulla/trust/oci/reference';
import type { ArtifactTarget } from '@bulla/trust/oci/store';
import { pushImage } from '../../demo/image.ts';
import { makeKey, openStage, ROOT, type Stage } from '../stage.ts';

/** The owner of a house that was lived in. */
export const OWNER = { name: 'ann', password: 'a seal of clay, dried' } as const;

/** The canonical host of the local store, by which the policies match. */
export const HOST = 'registry.example';

/** A running server that people look at: policies, images, and pulls that were decided about. */
export interface House extends AsyncDisposable {
  /** `http://127.0.0.1:…`. */
  readonly origin: string;
  readonly server: Server;
  readonly stage: Stage;
  /** The fragment of the first owner's link. */
  readonly link: string;
  /** A token that pulls and pushes everywhere. */
  readonly pushToken: string;
  /** Pushes a small image; each text gives another digest. */
  push(repository: string, tag: string, says?: string): Promise<Digest>;
  /** Pulls by tag, as a client would; the status of the answer. */
  pull(repository: string, tag: string): Promise<number>;
}

const POLICIES = (pub: string): Readonly<Record<string, string>> => ({
  'production.yaml': `# What runs in production was signed by the release key.
apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: production }
spec:
  description: What runs in production was signed by the release key.
  images: [{ glob: "${HOST}/prod/**" }]
  exclude: [{ glob: "${HOST}/prod/sandbox/**" }]
  mode: enforce
  authorities:
    release: { key: { ref: "${pub}" } }
  require:
    signed: { of: [release] }
`,
  'everything.yaml': `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: everything }
spec:
  description: Learn what is not signed yet, without refusing it.
  images: [{ glob: "${HOST}/**" }]
  mode: audit
  authorities:
    release: { key: { ref: "${pub}" } }
    legacy: { notary: { server: "https://notary.example", signers: [alice], pin: { rootKeyIds: ["${'4f'.repeat(32)}"] } } }
  require:
    signed: { of: [release, legacy] }
`,
});

/** Starts a server in an empty folder; without `lived` nobody has done anything with it yet. */
export async function openHouse({ lived = true } = {}): Promise<House> {
  await using opened = new AsyncDisposableStack();
  const stage = opened.use(await openStage());
  const { key, pub } = await makeKey(stage, 'release');
  if (lived) {
    for (const [name, text] of Object.entries(POLICIES(pub))) {
      await stage.write(`policies/${name}`, text);
    }
  } else {
    await mkdir(stage.path('policies'));
  }
  const config = {
    ...defaultConfig(stage.path('data')),
    listen: [{ url: 'http://127.0.0.1:0', tls: null }],
    policies: [stage.path('policies')],
  };
  const server = opened.use(
    await startServer(
      { ...config, gateway: { ...config.gateway, name: HOST, anonymousPull: false } },
      {
        version: '0.1.0',
        log: createLog('silent'),
        consoleFolders: [join(ROOT, 'packages/console/dist')],
        starterPolicy: null,
      },
    ),
  );
  const [origin = ''] = server.addresses;
  const first = server.firstStart;
  if (first === null) throw new Error('the database is empty, and has a first start');
  const { secret } = first.pushToken;
  const house = {
    origin,
    server,
    stage,
    link: `#token=${first.link.secret}&first`,
    pushToken: secret,
    push: async (repository: string, tag: string, says = `${repository} ${tag}`) =>
      pushImage(await openRepository(origin, secret, repository), tag, says),
    pull: (repository: string, tag: string) => pull(origin, secret, repository, tag),
  };
  if (lived) await live(house, key);
  const life = opened.move();
  return { ...house, [Symbol.asyncDispose]: () => life.disposeAsync() };
}

/** Images with and without signatures, a tag that moved and came back, and pulls of all of them. */
async function live(house: Omit<House, keyof AsyncDisposable>, key: string): Promise<void> {
  const { push } = house;
  const signed = await push('prod/shop/checkout', 'v1.4.2', 'checkout 1.4.2');
  await push('prod/shop/checkout', 'v1.5.0-rc1', 'checkout 1.5.0-rc1');
  await push('prod/shop/catalogue', 'v2', 'catalogue 2');
  await push('tools/backup', 'nightly', 'backup 1');
  await push('tools/backup', 'nightly', 'backup 2');
  const host = new URL(house.origin).host;
  const credentials = [
    '--registry-username',
    OWNER.name,
    '--registry-password',
    await settle(house),
  ];
  await house.stage.succeeds([
    'sign',
    ...['--key', key, ...credentials],
    `${host}/prod/shop/checkout@${signed}`,
  ]);
  await house.pull('prod/shop/checkout', 'v1.4.2');
  await house.pull('prod/shop/checkout', 'v1.5.0-rc1');
  await house.pull('prod/shop/catalogue', 'v2');
  await house.pull('tools/backup', 'nightly');
}

/** Makes the owner and two more users, and gives a token of the owner's that signs. */
async function settle({ origin, link }: Pick<House, 'origin' | 'link'>): Promise<string> {
  const secret = new URLSearchParams(link.slice(1)).get('token') ?? '';
  let cookie = '';
  const post = async (path: string, body: object): Promise<unknown> => {
    const answer = await fetch(`${origin}/api/bulla/v1${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin, cookie },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${text}`);
    cookie = answer.headers.get('set-cookie')?.split(';', 1)[0] ?? cookie;
    return JSON.parse(text);
  };
  await post('/session/link', { link: secret, ...OWNER });
  await post('/users', { name: 'ben', role: 'member' });
  await post('/users', { name: 'cleo', role: 'auditor' });
  const made = await post('/tokens', {
    name: 'release workflow',
    repositories: [{ repository: 'prod/**', actions: ['pull', 'push', 'sign'] }],
  });
  const token: unknown =
    typeof made === 'object' && made !== null ? Reflect.get(made, 'secret') : null;
  if (typeof token !== 'string') throw new Error('the answer holds no token');
  return token;
}

async function openRepository(
  origin: string,
  password: string,
  repository: string,
): Promise<ArtifactTarget> {
  return openStore(parseReference(`${new URL(origin).host}/${repository}`), {
    env: {},
    homeFolder: '/nonexistent',
    username: 'owner',
    password,
  });
}

async function pull(
  origin: string,
  token: string,
  repository: string,
  tag: string,
): Promise<number> {
  const answer = await fetch(`${origin}/v2/${repository}/manifests/${tag}`, {
    headers: {
      authorization: `Basic ${Buffer.from(`owner:${token}`).toString('base64')}`,
      accept: 'application/vnd.oci.image.manifest.v1+json',
      'user-agent': 'containers/5.31 (github.com/containers/image)',
    },
  });
  await answer.arrayBuffer();
  return answer.status;
}
