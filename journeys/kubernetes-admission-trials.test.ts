// The built server behind a real API server where others act: webhooks, forgers, kinds of a cluster's own,
// registries that hang, and the server's own end.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { peer } from '../test/peers.ts';
import {
  type AdmissionHouse,
  DEV,
  HOST,
  type Json,
  LOOKED_AT,
  openAdmissionHouse,
  podOf,
} from './admission-house.ts';
import { APP, assertKeptOut, assertTaken, BAD, imagesOf, PODS, post, SIDE } from './admitted.ts';
import { AGAIN, DOES, type Patch, startOtherWebhook } from './other-webhook.ts';
import { createOwnKinds, OWN_KINDS, OWN_RULES, playOwnKinds } from './own-kinds.ts';
import { assertUnharmed, until } from './server.ts';
import { workloadKind } from './workload-kinds.ts';

/** The API server waits so long for each call. */
const PATIENCE_S = 3;

const sidecar = (image: string): Patch => [
  { op: 'add', path: '/spec/containers/-', value: { name: 'mesh', image } },
];
const rewritten = (image: string): Patch => [
  { op: 'replace', path: '/spec/containers/0/image', value: image },
];

/** What another webhook does after ours, and what is stored or said of it. */
async function playOthers(house: AdmissionHouse): Promise<void> {
  const { kube, pinned, digest } = house;
  const sideBad = `${HOST}/prod/side:unsigned`;
  const does: Readonly<
    Record<
      string,
      { readonly patch: Patch; readonly refused?: string; readonly stored?: readonly string[] }
    >
  > = {
    'adds-signed': {
      patch: sidecar(SIDE),
      stored: [pinned('prod/app:1'), pinned('prod/side:1')],
    },
    'adds-unsigned': { patch: sidecar(sideBad), refused: `${sideBad} (container mesh)` },
    'adds-unsigned-digest': {
      patch: sidecar(pinned('prod/side:unsigned')),
      refused: '(container mesh)',
    },
    'changes-tag': {
      patch: rewritten(`${HOST}/prod/app:2`),
      stored: [pinned('prod/app:2')],
    },
    'changes-digest': {
      patch: rewritten(`${HOST}/prod/app@${digest('prod/app:unsigned')}`),
      refused: 'signature.none',
    },
    'claims-it-was-pinned': {
      patch: [
        ...rewritten(pinned('prod/app:unsigned')),
        { op: 'add', path: '/metadata/annotations/original-image.bulla.dev~1app', value: APP },
      ],
      refused: 'signature.none',
    },
  };
  const patches = Object.entries(does).map(([name, { patch }]) => [name, patch]);
  await using other = await startOtherWebhook(kube, Object.fromEntries(patches));
  const labelled = (name: string, labels: object) =>
    podOf(name, APP, { metadata: { labels, annotations: {} } });
  await until('the other webhook is asked', async () => {
    const probe = labelled('probe', { [DOES]: 'nothing' });
    await kube.ask('POST', `${PODS}?dryRun=All`, probe);
    return other.asked() > 0;
  });
  for (const [name, { refused, stored }] of Object.entries(does)) {
    const label = refused === undefined ? name : 'refused';
    const answer = await post(house, labelled(label, { [DOES]: name }));
    if (refused !== undefined) await assertKeptOut(house, answer, refused);
    else {
      assertTaken(answer);
      const { body } = await kube.ask('GET', `${PODS}/${name}`);
      assert.deepEqual(imagesOf(body.spec), stored, name);
    }
  }
  // It has the last word of the second round, and takes the digest out again.
  const again = labelled('refused', { [DOES]: 'changes-tag', [AGAIN]: 'yes' });
  await assertKeptOut(house, await post(house, again), 'admission.tag-unpinned');
}

/** What somebody writes who may create Pods, and nothing else. */
async function playForgers(house: AdmissionHouse): Promise<void> {
  const { digest } = house;
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'a-b-c' };
  const forged: Readonly<Record<string, Json>> = {
    'an annotation of ours': {
      annotations: { 'original-image.bulla.dev/app': APP, 'bulla.dev/verified': 'true' },
    },
    'a label of namespaces': { labels: { 'bulla.dev/admission': 'ignore' } },
    'the labels of Bulla itself': { labels: { 'app.kubernetes.io/name': 'bulla' } },
    'a controller as its owner': {
      ownerReferences: [{ ...owner, controller: true, blockOwnerDeletion: false }],
    },
    'the mirror of a static Pod': {
      annotations: { 'kubernetes.io/config.mirror': 'x', 'kubernetes.io/config.source': 'file' },
    },
  };
  for (const metadata of Object.values(forged)) {
    // A mirror has a node from its beginning.
    const pod = podOf('refused', BAD, { metadata, nodeName: 'node-1' });
    await assertKeptOut(house, await post(house, pod), BAD);
  }
  const unsigned = digest('prod/app:unsigned');
  for (const image of [
    `${APP}@${unsigned}`,
    `${HOST}:443/prod/app:unsigned`,
    `REGISTRY.example/prod/app@${unsigned}`,
    `${HOST}/prod/../prod/app@${unsigned}`,
    `${HOST}/prod/app:1@sha256:${'0'.repeat(64)}`,
    `${HOST}/prod/app:1@sha256:0`,
    'prod/app:1',
  ]) {
    await assertKeptOut(house, await post(house, podOf('refused', image)), image);
  }
}

async function playExceptions(house: AdmissionHouse): Promise<void> {
  const { kube, pinned, except } = house;
  await assertKeptOut(house, await post(house, podOf('refused', BAD)), 'signature.none');
  const end = await except('prod/app:unsigned');
  assertTaken(await post(house, podOf('excepted', BAD)));
  const { body } = await kube.ask('GET', `${PODS}/excepted`);
  assert.deepEqual(imagesOf(body.spec), [pinned('prod/app:unsigned')]);
  // A digest was excepted, and no other image beside it.
  const other = podOf('refused', `${HOST}/prod/side:unsigned`);
  await assertKeptOut(house, await post(house, other), 'signature.none');
  await end();
  await assertKeptOut(house, await post(house, podOf('refused', BAD)), 'signature.none');
  const byDigest = podOf('refused', pinned('prod/app:unsigned'));
  await assertKeptOut(house, await post(house, byDigest), 'signature.none');
}

/** What was admitted is not any more: it may be scaled and labelled, and comes in nowhere anew. */
async function playStricter(house: AdmissionHouse): Promise<void> {
  const { kube, server, policy, pinned, stage } = house;
  const { of, path } = workloadKind('Deployment');
  const containers = [{ name: 'app', image: APP }];
  assertTaken(await post(house, of('web', { containers }), path(LOOKED_AT)));
  const text = await readFile(policy, 'utf8');
  const change = async (to: string, status: number) => {
    await stage.write('policies/production.yaml', to);
    server.reload();
    const dry = podOf('refused', APP);
    await until('the policy is in force', async () => {
      const answer = await kube.askAs(DEV, 'POST', `${PODS}?dryRun=All`, dry);
      return answer.status === status;
    });
  };
  await change(text.replace('of: [release]', 'of: [security]'), 403);
  for (const image of [APP, pinned('prod/app:1')]) {
    const says = `${image} (container app)`;
    await assertKeptOut(house, await post(house, podOf('refused', image)), says);
  }
  const web = `${path(LOOKED_AT)}/web`;
  for (const body of [
    { spec: { replicas: 0 } },
    { spec: { replicas: 9 } },
    { metadata: { labels: { team: 'shop' } } },
  ]) {
    assertTaken(await kube.askAs(DEV, 'PATCH', web, body));
  }
  assertTaken(await kube.askAs(DEV, 'PATCH', `${web}/scale`, { spec: { replicas: 4 } }));
  // To name by its tag again what runs by its digest is to bring an image.
  const again = { spec: { template: { spec: { containers } } } };
  const named = await kube.askAs(DEV, 'PATCH', web, again, 'strategic');
  await assertKeptOut(house, named, `${APP} (container app)`);
  await change(text, 201);
}

async function playKubectl(
  { kube, stage, pinned }: AdmissionHouse,
  kubectl: string,
): Promise<void> {
  const run = (...args: readonly string[]) =>
    stage.run(kubectl, ['--kubeconfig', kube.kubeconfigOf(DEV), '-n', LOOKED_AT, ...args]);
  const several = podOf('several', BAD, {
    initContainers: [{ name: 'setup', image: `${HOST}/prod/side:unsigned` }],
    volumes: [{ name: 'model', image: { reference: 'other.example/model:1' } }],
  });
  const file = await stage.write('several.json', JSON.stringify(several));
  const refused = await run('create', '-f', file, '--validate=false');
  assert.notEqual(refused.code, 0);
  for (const says of [
    '3 images are refused',
    `${BAD} (container app)`,
    `${HOST}/prod/side:unsigned (init container setup)`,
    'other.example/model:1 (volume model)',
    'what to do:',
  ]) {
    assert.ok(refused.err.includes(says), refused.err);
  }
  const made = await run(
    'create',
    'deployment',
    'typed',
    `--image=${APP}`,
    '--dry-run=server',
    '-o',
    'yaml',
  );
  assert.equal(made.code, 0, made.all);
  assert.ok(made.out.includes(`image: ${pinned('prod/app:1')}`), made.out);
  const warned = await run('run', 'warned', `--image=${HOST}/lab/app:1`, '--restart=Never');
  assert.equal(warned.code, 0, warned.all);
  // The same file twice is the same object.
  const applied = podOf('applied', APP);
  const again = await stage.write('applied.json', JSON.stringify(applied));
  for (const says of ['created', 'configured']) {
    const { code, all } = await run('apply', '-f', again);
    assert.equal(code, 0, all);
    assert.ok(all.includes(`pod/applied ${says}`), all);
  }
  assert.match(
    warned.err,
    /^Warning: registry\.example\/lab\/app:1@sha256:[0-9a-f]{12}: policy lab/m,
  );
}

/** Our denial is there before the API server gives up, in both calls. */
async function playHanging(house: AdmissionHouse, { host }: Hanging): Promise<void> {
  const { kube } = house;
  const image = `${host}/app:1`;
  const answer = await post(
    house,
    podOf('refused', image, { initContainers: [{ name: 'good', image: APP }] }),
  );
  await assertKeptOut(house, answer, `${image} (container app)`);
  assert.ok(!answer.body.message.includes(APP), answer.body.message);
  // Nobody else waits for it.
  assertTaken(await post(house, podOf('beside', APP)));
  assert.equal((await kube.ask('GET', `${PODS}/beside`)).status, 200);
}

async function playEnd(house: AdmissionHouse, { host, heard }: Hanging): Promise<void> {
  const { kube, server, startAgain, pinned } = house;
  await server.stop();
  const { status, body } = await post(house, podOf('late', APP));
  assert.equal(status, 500, JSON.stringify(body));
  assert.match(body.message, /failed calling webhook "mutate\.bulla\.dev": .* connection refused/);
  assert.equal((await kube.ask('GET', `${PODS}/late`)).status, 404);
  // What ends is not held up, and no webhook is asked about a scale.
  assert.equal((await kube.askAs(DEV, 'DELETE', `${PODS}/beside`)).status, 200);
  const started = await startAgain();
  assertTaken(await post(house, podOf('late', APP)));
  const { body: late } = await kube.ask('GET', `${PODS}/late`);
  assert.deepEqual(imagesOf(late.spec), [pinned('prod/app:1')]);
  // Killed between a question and its answer.
  const before = heard();
  const waiting = post(house, podOf('refused', `${host}/app:2`));
  await until('the registry is asked', async () => heard() > before);
  await started.kill();
  const unanswered = await waiting;
  assert.equal(unanswered.status, 500, JSON.stringify(unanswered.body));
  assert.equal((await kube.ask('GET', `${PODS}/refused`)).status, 404);
  const last = await startAgain();
  assertTaken(await post(house, podOf('last', APP)));
  await assertUnharmed(last);
}

/** Without the mutating webhook the validating one wants digests, and is content with them. */
async function playUnpinned(house: AdmissionHouse): Promise<void> {
  const { kube, pinned } = house;
  const hooks = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
  assert.equal((await kube.ask('DELETE', `${hooks}/bulla`)).status, 200);
  const dry = () => kube.askAs(DEV, 'POST', `${PODS}?dryRun=All`, podOf('refused', APP));
  await until('nothing is pinned', async () => (await dry()).status === 403);
  await assertKeptOut(house, await post(house, podOf('refused', APP)), 'admission.tag-unpinned');
  assertTaken(await post(house, podOf('by-digest', pinned('prod/app:1'))));
}

interface Hanging {
  readonly host: string;
  /** How much it was sent so far. */
  readonly heard: () => number;
}

/** A registry that takes requests, and says nothing. */
async function startHanging(t: TestContext): Promise<Hanging> {
  let heard = 0;
  const server = createServer((socket) => {
    socket
      .on('error', () => undefined)
      .on('data', () => {
        heard += 1;
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { host: `127.0.0.1:${address.port}`, heard: () => heard };
}

test('a real API server and the built server, among others and through its own end', async (t) => {
  const hanging = await startHanging(t);
  const opened = await openAdmissionHouse(t, {
    admission: OWN_KINDS,
    images: [`${hanging.host}/**`],
    more: `registries:
  - { host: "${hanging.host}", plainHttp: true, privateAddresses: true, timeout: 60s }
`,
    hook(webhook) {
      webhook.timeoutSeconds = PATIENCE_S;
      webhook.rules.push(...OWN_RULES);
    },
    before: createOwnKinds,
  });
  if (opened === null) return;
  await using house = opened;
  await t.test('another webhook, after ours', () => playOthers(house));
  await t.test('what forgers write', () => playForgers(house));
  await t.test('kinds of a cluster’s own, and another version of them', () => playOwnKinds(house));
  await t.test('an exception lets a Pod in, until it ends', () => playExceptions(house));
  await t.test('a policy becomes stricter', () => playStricter(house));
  await t.test('what kubectl shows', async (inner) => {
    const kubectl = peer('kubectl');
    if (kubectl === null) inner.skip('peer missing: kubectl');
    else await playKubectl(house, kubectl);
  });
  await t.test('a registry that hangs', () => playHanging(house, hanging));
  await t.test('the server ends, and is started again', () => playEnd(house, hanging));
  await t.test('without the mutating webhook', () => playUnpinned(house));
});
