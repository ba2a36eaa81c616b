// One policy file at every door: a pull through the gateway, a Pod's admission and a node's containerd
// refuse the same unsigned image, an approved exception lets it in until it ends, and the record proves
// all of it.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pushImage } from '../demo/image.ts';
import {
  type ApiServer,
  apiServer,
  type Called,
} from '../packages/server/test/admission/api-server.ts';
import { reviewOf } from '../packages/server/test/admission/reviews.ts';
import { mint } from '../packages/server/test/http/tls/mint.ts';
import { requirePeer } from '../test/peers.ts';
import { openRepository } from './artifact.ts';
import { prepareClients, runClient } from './container-client.ts';
import { type Beside, startContainerd, startNode } from './containerd-daemon.ts';
import { freePort } from './free-port.ts';
import {
  assertUnharmed,
  type Owner,
  type RunningServer,
  signInOwner,
  startServe,
} from './server.ts';
import { makeKey, openStage, type Stage } from './stage.ts';

const REPOSITORY = 'prod/app';
const SERVICE = { name: 'bulla', namespace: 'bulla-system' };

function policyText(release: string, security: string): string {
  return `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: production }
spec:
  images: [{ glob: "**/prod/**" }]
  authorities:
    release: { key: { ref: "${release}" } }
    security: { key: { ref: "${security}" } }
  require: { signed: { of: [release] } }
  exceptions: { approvers: [security], maxDuration: 72h, maxScope: digest }
`;
}

interface House extends AsyncDisposable {
  readonly stage: Stage;
  readonly server: RunningServer;
  readonly owner: Owner;
  readonly api: ApiServer;
  readonly node: Beside;
  /** Whole canonical reference by digest of the image that nobody signed. */
  readonly unsigned: string;
  readonly policy: string;
  readonly keys: Readonly<Record<'release' | 'security' | 'dev', string>>;
  /** A token of somebody else than the owner. */
  readonly other: string;
  readonly token: string;
}

async function openHouse(): Promise<House> {
  await using opened = new AsyncDisposableStack();
  const stage = opened.use(await openStage());
  const [release, security, dev] = [
    await makeKey(stage, 'release'),
    await makeKey(stage, 'security'),
    await makeKey(stage, 'dev'),
  ];
  const policy = await stage.write('policy.yaml', policyText(release.pub, security.pub));
  const authority = mint('webhook authority');
  const leaf = mint('webhook', {
    by: authority,
    purpose: 'server',
    names: [`${SERVICE.name}.${SERVICE.namespace}.svc`],
  });
  const port = await freePort();
  const admission = `admission:
  listen: https://127.0.0.1:${port}
  certificate: ${await stage.write('tls.crt', leaf.certificate)}
  key: ${await stage.write('tls.key', leaf.key)}
  cluster: prod-eu
`;
  const server = opened.use(
    await startServe(stage, {
      policies: [policy],
      gateway: '  anonymousPull: loopback\n',
      more: admission,
    }),
  );
  const owner = await signInOwner(server);
  const digest = await pushImage(
    await openRepository(`${server.host}/${REPOSITORY}`, server.pushToken),
    'unsigned',
    'an image that nobody signed',
  );
  const bob = await owner.ask('POST', '/users', { name: 'bob', role: 'admin' });
  const permissions = ['exceptions.read', 'exceptions.request', 'exceptions.manage', 'record.read'];
  const tokenOf = async (more: object) => {
    const made = await owner.ask('POST', '/tokens', { name: 'doors', ...more });
    assert.equal(made.status, 200, made.text);
    return String(made.json.secret);
  };
  await stage.write('node.token', `${await tokenOf({ permissions: ['node.ask'] })}\n`);
  const socket = stage.path('run/node.sock');
  const node = opened.use(
    await startNode(stage, [
      ...['--server', server.origin, '--token-file', stage.path('node.token')],
      ...['--socket', socket, '--cache', stage.path('cache'), '--fresh-for', '0s'],
    ]),
  );
  await stage.succeeds(['node', 'install-verifier', stage.path('bin'), '--socket', socket]);
  await prepareClients(stage);
  const api = apiServer({ port, caBundle: authority.certificate, service: SERVICE });
  opened.defer(() => api.close());
  const life = opened.move();
  return {
    ...{ stage, server, owner, api, node, policy },
    unsigned: `${server.registry}/${REPOSITORY}@${digest}`,
    keys: { release: release.key, security: security.key, dev: dev.key },
    other: await tokenOf({ permissions, user: bob.json.user.id }),
    token: await tokenOf({ permissions }),
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  };
}

/** What the three doors say of an image: whether it is let in, and in which words. */
interface Said {
  readonly admitted: boolean;
  readonly says: string;
}

const DOORS: Readonly<
  Record<string, (house: House, skopeo: string, image: string) => Promise<Said>>
> = {
  async pull({ stage }, skopeo, image) {
    const to = `oci:${stage.path(`pulled-${Date.now()}`)}:it`;
    const args = ['copy', '--src-tls-verify=false', '--policy', stage.path('policy.json')];
    const { code, all } = await runClient(stage, skopeo, [...args, `docker://${image}`, to]);
    return { admitted: code === 0, says: all };
  },
  async admission({ api }, _skopeo, image) {
    const called: Called = await api.admit(reviewOf({ object: podOf(image) }));
    return { admitted: called.allowed, says: called.message };
  },
  async node({ stage }, _skopeo, image) {
    const [name = '', digest = ''] = image.split('@');
    const descriptor = {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest,
      size: 500,
    };
    const stdin = await stage.write('descriptor.json', JSON.stringify(descriptor));
    const verifier = stage.path('bin/bulla-containerd-verifier');
    // As containerd starts it: with a descriptor, and without an environment.
    const command = `exec env -i "$0" -name "$1" -digest "$2" -stdin-media-type application/vnd.oci.descriptor.v1+json < "$3"`;
    const run = await stage.run('sh', ['-c', command, verifier, name, digest, stdin]);
    return { admitted: run.code === 0, says: run.all };
  },
};

function podOf(image: string) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { containers: [{ name: 'app', image }] },
  };
}

async function all(house: House, skopeo: string, expected: boolean): Promise<void> {
  for (const [name, ask] of Object.entries(DOORS)) {
    const { admitted, says } = await ask(house, skopeo, house.unsigned);
    assert.equal(admitted, expected, `${name}: ${says}`);
    if (!expected) assert.match(says, /signature\.none|carries no signature/, name);
  }
}

/** An exception of so many seconds, requested by one person and approved by another. */
async function except(house: House, seconds: number): Promise<void> {
  const { stage, server, unsigned, keys, policy } = house;
  const as = (token: string) => ({ BULLA_SERVER: server.origin, BULLA_TOKEN: token });
  const [request, approved] = [stage.path('request.json'), stage.path('approved.json')];
  const asked = [
    ...['exception', 'request', unsigned, '--name', 'late-release', '--for-policy', 'production'],
    ...['--policy', policy, '--clause', 'require', '--identity', 'dev@acme.example'],
    ...['--reason', 'the signer is down', '--control', 'canary only', '--until', `${seconds}s`],
    ...['--key', keys.dev, '--write', request],
  ];
  await stage.succeeds(asked);
  await stage.succeeds(['exception', 'submit', request], as(house.token));
  const approve = [
    ...['exception', 'approve', request, '--identity', 'security@acme.example'],
    ...['--key', keys.security, '--write', approved, '--yes'],
  ];
  await stage.succeeds(approve);
  await stage.succeeds(['exception', 'submit', approved], as(house.other));
}

test('one policy file refuses at every door, an exception lets in until it ends, the record proves it', async (t) => {
  const skopeo = requirePeer(t, 'skopeo');
  if (skopeo === null) return;
  await using house = await openHouse();
  await all(house, skopeo, false);

  // Long enough for three doors on a slow machine.
  const seconds = 30;
  const begun = Date.now();
  await except(house, seconds);
  await all(house, skopeo, true);
  assert.ok(Date.now() - begun < seconds * 1000, 'this machine is too slow for this test');
  await sleep(begun + (seconds + 1) * 1000 - Date.now());
  await all(house, skopeo, false);

  const digest = house.unsigned.split('@')[1] ?? '';
  const { json } = await house.owner.ask('GET', `/decisions?digest=${digest}&limit=200`);
  for (const surface of ['pull', 'admission', 'node']) {
    const own = json.decisions.filter((one: { surface: string }) => one.surface === surface);
    // The newest first: refused again, let in by the exception, refused.
    const outcomes = own.map((one: { outcome: string }) => one.outcome);
    const changes = outcomes.filter((one: string, at: number) => one !== outcomes[at - 1]);
    assert.deepEqual(changes, ['deny', 'admit', 'deny'], `${surface}: ${outcomes.join(' ')}`);
    const admitted = own.find((one: { outcome: string }) => one.outcome === 'admit');
    const { json: detail } = await house.owner.ask('GET', `/decisions/${admitted.id}`);
    assert.equal(detail.exceptions[0].name, 'late-release', surface);
    if (surface === 'admission') {
      assert.deepEqual(detail.request.object, {
        cluster: 'prod-eu',
        apiVersion: 'v1',
        kind: 'Pod',
        namespace: 'shop',
        name: 'web',
        operation: 'CREATE',
      });
    }
  }
  const exported = house.stage.path('record.jsonl');
  const key = await house.owner.ask('GET', '/record/head');
  const pub = await house.stage.write('record.pub', key.json.publicKey);
  const lines = await fetch(`${house.server.origin}/api/bulla/v1/record/export`, {
    headers: house.owner.headers(),
  });
  await house.stage.write('record.jsonl', await lines.text());
  const verify = ['record', 'verify', exported, '--key', pub];
  assert.match(await house.stage.succeeds(verify), /ok|pass/i);
  assert.match(await readFile(exported, 'utf8'), /exception\.approved/);
  await assertUnharmed(house.server);
});

test('the same at a real containerd: refused, let in by the exception', async (t) => {
  const containerd = requirePeer(t, 'containerd');
  const ctr = requirePeer(t, 'ctr');
  if (containerd === null || ctr === null) return;
  await using house = await openHouse();
  const { stage } = house;
  await using daemon = await startContainerd(stage, { containerd, ctr }, stage.path('bin'));
  const refused = await daemon.pull(house.unsigned);
  assert.notEqual(refused.code, 0, refused.all);
  await except(house, 600);
  const pulled = await daemon.pull(house.unsigned);
  assert.equal(pulled.code, 0, pulled.all);
});
