import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerConfig } from '@bulla/server/config/config';
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
  /** Asks the product API as the owner, by a path below `/api/bulla/v1`; not before somebody has lived here. */
  ask(method: 'GET' | 'POST', path: `/${string}`, body?: object): Promise<unknown>;
}

/** What a house may have beside images and pulls. */
export interface HouseWanted {
  /** Whether people, images and pulls are there. */
  readonly lived?: boolean;
  /** Whether the policy `production` takes exceptions: keys `dev`, `security` and `oncall` are on the stage. */
  readonly exceptions?: boolean;
  /** Receivers of the record. */
  readonly streams?: ServerConfig['streams'];
  /** The server's present; by default the machine's. */
  readonly clock?: () => Date;
}

/** What a policy has beside: members of its authorities and of its spec, as YAML. */
interface Emergency {
  readonly authorities: string;
  readonly spec: string;
}

const POLICIES = (pub: string, emergency: Emergency): Readonly<Record<string, string>> => ({
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
${emergency.authorities}  require:
    signed: { of: [release] }
${emergency.spec}`,
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
export async function openHouse({
  lived = true,
  exceptions = false,
  streams = [],
  clock = () => new Date(),
}: HouseWanted = {}): Promise<House> {
  await using opened = new AsyncDisposableStack();
  const stage = opened.use(await openStage());
  const { key, pub } = await makeKey(stage, 'release');
  if (lived) {
    const emergency = exceptions ? await makeEmergency(stage) : { authorities: '', spec: '' };
    for (const [name, text] of Object.entries(POLICIES(pub, emergency))) {
      await stage.write(`policies/${name}`, text);
    }
  } else {
    await mkdir(stage.path('policies'));
  }
  const config = {
    ...defaultConfig(stage.path('data')),
    listen: [{ url: 'http://127.0.0.1:0', tls: null }],
    policies: [stage.path('policies')],
    streams,
  };
  const server = opened.use(
    await startServer(
      { ...config, gateway: { ...config.gateway, name: HOST, anonymousPull: false } },
      {
        version: '0.1.0',
        log: createLog('silent'),
        consoleFolders: [join(ROOT, 'packages/console/dist')],
        starterPolicy: null,
        clocks: { clock, now: () => performance.now() },
      },
    ),
  );
  const [origin = ''] = server.addresses;
  const first = server.firstStart;
  if (first === null) throw new Error('the database is empty, and has a first start');
  const { secret } = first.pushToken;
  const ask = asOwner(origin);
  const house = {
    ask,
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

async function makeEmergency(stage: Stage): Promise<Emergency> {
  await makeKey(stage, 'dev');
  const security = await makeKey(stage, 'security');
  const oncall = await makeKey(stage, 'oncall');
  return {
    authorities: `    security: { key: { ref: "${security.pub}" } }
    oncall: { key: { ref: "${oncall.pub}" } }
`,
    spec: `  exceptions:
    approvers: [security]
    maxDuration: 72h
    maxScope: digest
    breakGlass: { keys: [oncall], maxDuration: 4h }
`,
  };
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

/** Asks the product API with the session that an earlier answer gave, as the console does. */
function asOwner(origin: string): House['ask'] {
  let cookie = '';
  return async (method, path, body) => {
    const answer = await fetch(`${origin}/api/bulla/v1${path}`, {
      method,
      headers: { 'content-type': 'application/json', origin, cookie },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${text}`);
    cookie = answer.headers.get('set-cookie')?.split(';', 1)[0] ?? cookie;
    return JSON.parse(text);
  };
}

/** Makes the owner and two more users, and gives a token of the owner's that signs. */
async function settle({ ask, link }: Pick<House, 'ask' | 'link'>): Promise<string> {
  const secret = new URLSearchParams(link.slice(1)).get('token') ?? '';
  await ask('POST', '/session/link', { link: secret, ...OWNER });
  await ask('POST', '/users', { name: 'ben', role: 'member' });
  await ask('POST', '/users', { name: 'cleo', role: 'auditor' });
  const made = await ask('POST', '/tokens', {
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
