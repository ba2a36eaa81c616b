// Gatekeeper's external data from a running server, as its driver asks: TLS 1.3, certificates of both sides.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { after, before, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { pushImage } from '../demo/image.ts';
import { type DockerRegistry, startDockerRegistry } from '../test/docker-registry.ts';
import { peer, requirePeer } from '../test/peers.ts';
import { openRepository } from './artifact.ts';
import { freePort } from './free-port.ts';
import { type Owner, type RunningServer, signedPolicy, signInOwner, startServe } from './server.ts';
import { makeKey, openStage, type Stage } from './stage.ts';

const run = promisify(execFile);
const PEERS = ['docker-registry', 'openssl'] as const;

interface House {
  /** All that has to end. */
  readonly life: AsyncDisposableStack;
  readonly stage: Stage;
  readonly upstream: DockerRegistry;
  readonly server: RunningServer;
  readonly owner: Owner;
  readonly port: number;
  /** References of both images, by tag. */
  readonly signed: string;
  readonly unsigned: string;
  readonly digests: ReadonlyMap<string, string>;
}

let house: House | null = null;

before(async () => {
  const [registry, openssl] = PEERS.map((name) => peer(name));
  if (!registry || !openssl) return;
  await using opened = new AsyncDisposableStack();
  const stage = opened.use(await openStage());
  const upstream = opened.use(await startDockerRegistry(registry));
  for (const name of ['server', 'gatekeeper']) await makeCertificate(stage, openssl, name);
  const { key, pub } = await makeKey(stage, 'release');
  const images = `${upstream.host}/**`;
  await stage.write('policies/release.yaml', signedPolicy({ name: 'release-only', pub, images }));
  const port = await freePort();
  const wanted = {
    policies: ['policies'],
    gateway: '  anonymousPull: loopback\n',
    more: `registries:
  - { host: "${upstream.host}", plainHttp: true, privateAddresses: true }
gatekeeper:
  { listen: "https://127.0.0.1:${port}", certificate: server.pem, key: server.key, clientCa: gatekeeper-ca.pem }
`,
  };
  const server = opened.use(await startServe(stage, wanted));
  const digests = new Map<string, string>();
  const push = async (name: string) => {
    const image = `${upstream.host}/team/${name}:v1`;
    const target = await openRepository(image.slice(0, -3));
    digests.set(image, await pushImage(target, 'v1', name));
    return image;
  };
  const signed = await push('signed');
  await stage.succeeds(['sign', '--key', key, signed]);
  const unsigned = await push('unsigned');
  const owner = await signInOwner(server);
  const life = opened.move();
  house = { life, stage, upstream, server, owner, port, signed, unsigned, digests };
});

after(async () => {
  await house?.life.disposeAsync();
});

/** An authority, and a certificate by it that is good for a server and for a client. */
async function makeCertificate({ path }: Stage, openssl: string, name: string): Promise<void> {
  const made = (...args: readonly string[]) => run(openssl, [...args], { cwd: path('.') });
  const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  await made(
    ...['req', '-x509', ...fresh, '-subj', `/CN=${name} authority`],
    ...['-keyout', `${name}-ca.key`, '-out', `${name}-ca.pem`],
  );
  await made(
    ...['req', '-x509', ...fresh, '-subj', `/CN=${name}`],
    ...['-CA', `${name}-ca.pem`, '-CAkey', `${name}-ca.key`],
    ...['-addext', 'subjectAltName=IP:127.0.0.1', '-addext', 'basicConstraints=CA:FALSE'],
    ...['-addext', 'extendedKeyUsage=serverAuth,clientAuth'],
    ...['-keyout', `${name}.key`, '-out', `${name}.pem`],
  );
}

function open(t: TestContext): House | null {
  if (house === null) for (const name of PEERS) if (requirePeer(t, name) === null) break;
  return house;
}

interface Item {
  readonly key: string;
  readonly error: string;
  // biome-ignore lint/suspicious/noExplicitAny: a value is looked into as it came
  readonly value: any;
}

/** Asks as Gatekeeper's frameworks do (externaldata/request.go). */
async function ask({ stage, port }: House, path: 'verify' | 'mutate', keys: readonly string[]) {
  const pem = (name: string) => readFile(stage.path(name));
  const sent = request({
    ...{ host: '127.0.0.1', port, path: `/gatekeeper/${path}`, method: 'POST' },
    ...{ ca: await pem('server-ca.pem'), minVersion: 'TLSv1.3' },
    ...{ cert: await pem('gatekeeper.pem'), key: await pem('gatekeeper.key') },
    headers: { 'content-type': 'application/json', 'user-agent': 'Go-http-client/1.1' },
  });
  const apiVersion = 'externaldata.gatekeeper.sh/v1beta1';
  sent.end(JSON.stringify({ apiVersion, kind: 'ProviderRequest', request: { keys } }));
  const answer = await new Promise<string>((resolve, reject) => {
    sent.on('error', reject);
    sent.on('response', (response) => {
      text(response).then(resolve, reject);
    });
  });
  const { kind, response } = JSON.parse(answer) as {
    kind: string;
    response: { idempotent: boolean; systemError: string; items: readonly Item[] };
  };
  assert.equal(kind, 'ProviderResponse');
  assert.equal(response.systemError, '');
  return response;
}

test('a signed image succeeds, an unsigned one does not, and the record says who asked', async (t) => {
  const found = open(t);
  if (found === null) return;
  const { signed, unsigned, digests, owner } = found;
  const key = (image: string) => `[prod]${image}@${digests.get(image)}`;
  const { items } = await ask(found, 'verify', [key(signed), key(unsigned), key(signed)]);
  assert.equal(items.length, 2);
  const [good, bad] = items;
  assert.equal(good?.value.succeeded, true);
  assert.equal(good?.value.digest, digests.get(signed));
  assert.equal(bad?.error, '');
  assert.equal(bad?.value.succeeded, false);
  assert.equal(bad?.value.code, 'signature.none');
  assert.match(bad?.value.message, /refused by policy release-only/);
  const { status, json } = await owner.ask('GET', `/decisions/${bad?.value.decision}`);
  assert.equal(status, 200);
  assert.deepEqual(
    [json.surface, json.namespace, json.actor.id, json.outcome],
    ['admission', 'prod', 'gatekeeper', 'deny'],
  );
});

test('a mutator pins a tag, what it pinned stays, and then it succeeds', async (t) => {
  const found = open(t);
  if (found === null) return;
  const { signed, unsigned, digests } = found;
  const { items } = await ask(found, 'verify', [signed]);
  assert.equal(items[0]?.value.code, 'admission.tag-unpinned');
  const once = await ask(found, 'mutate', [signed, unsigned]);
  assert.equal(once.idempotent, true);
  const pinned = String(once.items[0]?.value);
  assert.equal(pinned, `${signed}@${digests.get(signed)}`);
  assert.match(once.items[1]?.error ?? '', /no signature/);
  const again = await ask(found, 'mutate', [pinned]);
  assert.equal(again.items[0]?.value, pinned);
  assert.equal((await ask(found, 'verify', [pinned])).items[0]?.value.succeeded, true);
});

test('what nobody named, nobody can read, and nobody pushed is an answer each', async (t) => {
  const found = open(t);
  if (found === null) return;
  const { upstream } = found;
  const missing = `${upstream.host}/team/nothing:v1`;
  const keys = ['elsewhere.example/app:v1', 'no image at all', missing, '[prod]'];
  const { items } = await ask(found, 'verify', keys);
  assert.deepEqual(
    items.map(({ value }) => value.succeeded),
    [false, false, false, false],
  );
  assert.match(items[3]?.error ?? '', /^gatekeeper\.key-invalid/);
  for (const item of items.slice(0, 3)) assert.ok(item.value.message !== '', item.key);
});
