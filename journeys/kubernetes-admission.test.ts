// The built server behind a real API server, by its shipped webhooks: what is stored, of every kind.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type AdmissionHouse,
  DEV,
  HOST,
  type Json,
  LEFT_OUT,
  LOOKED_AT,
  openAdmissionHouse,
  podOf,
} from './admission-house.ts';
import {
  leaveLegacy,
  playDeletion,
  playLegacy,
  playMoved,
  playUpdates,
} from './admission-updates.ts';
import {
  ALL_SIGNED,
  APP,
  assertRefused,
  assertTaken,
  BAD,
  DEPLOYMENTS,
  imagesOf,
  type Places,
  PODS,
  SIDE,
  specOf,
  stored,
} from './admitted.ts';
import { assertUnharmed, until } from './server.ts';
import { WORKLOAD_KINDS, type WorkloadKind, workloadKind } from './workload-kinds.ts';

/** A stored object as its author wrote it and the API server completed it, without what it was born with. */
function asWritten({ pinned }: AdmissionHouse, object: Json): Json {
  const names = ['prod/app:1', 'prod/app:2', 'prod/side:1'];
  let text = JSON.stringify(object);
  for (const name of names) text = text.replaceAll(pinned(name), `${HOST}/${name}`);
  const { uid, ...metadata } = object.metadata;
  text = text.replaceAll(uid, 'UID');
  const written = JSON.parse(text);
  const { annotations = {} } = metadata;
  const own = Object.entries(annotations).filter(
    ([key]) => !/^original-.*\.bulla\.dev\//.test(key),
  );
  for (const born of ['creationTimestamp', 'managedFields', 'namespace', 'resourceVersion']) {
    delete written.metadata[born];
  }
  written.metadata.annotations = Object.fromEntries(own);
  return written;
}

/** Every place of a Pod's specification in which an image can stand, each with the word of a denial. */
const PLACES = {
  'init container setup': 0,
  'init container proxy': 1,
  'container app': 2,
  'volume model': 3,
} as const;

async function playKind(house: AdmissionHouse, { kind, path, of, specOf: inside }: WorkloadKind) {
  const { kube, pinned } = house;
  for (const [place, index] of Object.entries(PLACES)) {
    const images = ALL_SIGNED.map((image, at) => (at === index ? BAD : image));
    const object = of('web', specOf(images as unknown as Places));
    const refused = await kube.askAs(DEV, 'POST', path(LOOKED_AT), object);
    assertRefused(
      refused,
      '1 image is refused',
      `${BAD} (${place})`,
      'signature.none',
      'decision ',
    );
  }
  const object = of('web', specOf(ALL_SIGNED));
  object.metadata.annotations = { 'acme.example/mine': 'stays' };
  // A Job without labels takes its template's, and in memory they are one until a webhook changes it.
  object.metadata.labels = { team: 'shop' };
  const made: Json[] = [];
  for (const namespace of [LOOKED_AT, LEFT_OUT]) {
    const answer = await kube.askAs(DEV, 'POST', path(namespace), object);
    assertTaken(answer);
    assert.deepEqual(answer.warnings, []);
    made.push(await stored(house, `${path(namespace)}/web`));
  }
  const [ours, plain] = made;
  const names = ['prod/app:1', 'prod/side:1', 'prod/app:1', 'prod/app:2'];
  assert.deepEqual(imagesOf(inside(ours)), names.map(pinned), kind);
  assert.deepEqual(imagesOf(inside(plain)), ALL_SIGNED);
  // What a person reads of what was written first; nothing ever reads it back.
  assert.equal(ours.metadata.annotations['original-image.bulla.dev/proxy'], SIDE);
  assert.deepEqual(asWritten(house, ours), asWritten(house, plain));
}

async function playSubresources(house: AdmissionHouse): Promise<void> {
  const { kube, pinned } = house;
  const pod = `${PODS}/web`;
  const ephemeral = (image: string) => ({
    spec: { ephemeralContainers: [{ name: 'debug', image, targetContainerName: 'app' }] },
  });
  const debug = (image: string) =>
    kube.askAs(DEV, 'PATCH', `${pod}/ephemeralcontainers`, ephemeral(image), 'strategic');
  assertRefused(await debug(BAD), `${BAD} (ephemeral container debug)`);
  assert.equal((await stored(house, pod)).spec.ephemeralContainers, undefined);
  assertTaken(await debug(APP));
  // What was there before is nobody's reason to keep a debugger out.
  const legacy = `${PODS}/legacy/ephemeralcontainers`;
  assertTaken(await kube.askAs(DEV, 'PATCH', legacy, ephemeral(APP), 'strategic'));
  const [added] = (await stored(house, pod)).spec.ephemeralContainers;
  assert.equal(added.image, pinned('prod/app:1'));
  // Nobody can bring an image by those that nobody is asked about.
  const smuggled = { spec: { containers: [{ name: 'app', image: BAD }] } };
  for (const below of ['/status', '/resize']) {
    await kube.askAs(DEV, 'PATCH', pod + below, smuggled, 'strategic');
    assert.equal((await stored(house, pod)).spec.containers[0].image, pinned('prod/app:1'), below);
  }
  await kube.askAs(DEV, 'PATCH', `${DEPLOYMENTS}/web/status`, { spec: { template: smuggled } });
  const { spec } = await stored(house, `${DEPLOYMENTS}/web`);
  assert.equal(spec.template.spec.containers[0].image, pinned('prod/app:1'));
  assertRefused(await kube.askAs(DEV, 'PATCH', pod, smuggled, 'strategic'), '(container app)');
  const next = { spec: { containers: [{ name: 'app', image: `${HOST}/prod/app:2` }] } };
  assertTaken(await kube.askAs(DEV, 'PATCH', pod, next, 'strategic'));
  assert.equal((await stored(house, pod)).spec.containers[0].image, pinned('prod/app:2'));
  const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'legacy' } };
  const target = { apiVersion: 'v1', kind: 'Node', name: 'node-1' };
  assertTaken(await kube.askAs(DEV, 'POST', `${PODS}/legacy/binding`, { ...binding, target }));
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'legacy' } };
  assertTaken(await kube.askAs(DEV, 'POST', `${PODS}/legacy/eviction?dryRun=All`, eviction));
}

async function playDryRun({ kube, owner, digest }: AdmissionHouse): Promise<void> {
  const dry = (name: string) =>
    kube.askAs(DEV, 'POST', `${PODS}?dryRun=All`, podOf('dry', `${HOST}/prod/${name}`));
  const traces = async (name: string) => {
    const { json } = await owner.ask('GET', `/decisions?digest=${digest(`prod/${name}`)}`);
    // Its signer has pulled it.
    return json.decisions.filter(({ surface }: Json) => surface === 'admission').length;
  };
  assertRefused(await dry('dry:unsigned'), 'signature.none');
  const told = await dry('dry:1');
  assertTaken(told);
  assert.match(told.body.spec.containers[0].image, /^registry\.example\/prod\/dry:1@sha256:/);
  assert.deepEqual([await traces('dry:unsigned'), await traces('dry:1')], [0, 0]);
  // The same in earnest is recorded, so that the trace above could have been seen.
  await kube.askAs(DEV, 'POST', PODS, podOf('dry', `${HOST}/prod/dry:unsigned`));
  assertTaken(await kube.askAs(DEV, 'POST', PODS, podOf('dry', `${HOST}/prod/dry:1`)));
  assert.notEqual(await traces('dry:unsigned'), 0);
  assert.notEqual(await traces('dry:1'), 0);
}

async function playNames(house: AdmissionHouse): Promise<void> {
  const { kube, owner, digest, pinned } = house;
  const named = podOf('', APP, { metadata: { name: undefined, generateName: 'job-' } });
  const made = await kube.askAs(DEV, 'POST', PODS, named);
  assertTaken(made);
  const pod = await stored(house, `${PODS}/${made.body.metadata.name}`);
  assert.equal(pod.spec.containers[0].image, pinned('prod/app:1'));
  // A policy that warns lets it in, pinned, and says so to whoever made it.
  const warned = await kube.askAs(DEV, 'POST', PODS, podOf('lab', `${HOST}/lab/app:1`));
  assertTaken(warned);
  assert.equal(warned.warnings.length, 1, warned.warnings.join('\n'));
  assert.match(
    warned.warnings[0] ?? '',
    /registry\.example\/lab\/app:1@sha256:[0-9a-f]{12}: policy lab/,
  );
  assert.equal((await stored(house, `${PODS}/lab`)).spec.containers[0].image, pinned('lab/app:1'));
  // An image that no policy is about.
  const other = await kube.askAs(DEV, 'POST', PODS, podOf('other', 'other.example/app:1'));
  assertRefused(other, 'other.example/app:1 (container app)');
  const { json } = await owner.ask('GET', `/decisions?digest=${digest('lab/app:1')}`);
  const { json: detail } = await owner.ask('GET', `/decisions/${json.decisions[0].id}`);
  assert.equal(detail.actor.id, `kubernetes:${DEV}`);
  assert.deepEqual(detail.request.object, {
    cluster: 'prod-eu',
    apiVersion: 'v1',
    kind: 'Pod',
    namespace: LOOKED_AT,
    name: 'lab',
    operation: 'CREATE',
  });
}

async function playAudit({ kube, owner }: AdmissionHouse): Promise<void> {
  const body = podOf('audited', BAD);
  assertRefused(await kube.askAs(DEV, 'POST', `${PODS}?fieldManager=audited`, body), BAD);
  const find = async () =>
    (await kube.audited()).find(({ requestURI }) => requestURI.endsWith('fieldManager=audited'));
  await until('the audit log has it', async () => (await find()) !== undefined);
  const { annotations = {}, user } = (await find()) ?? assert.fail();
  assert.equal(user.username, DEV);
  assert.equal(annotations['validate.bulla.dev/outcome'], 'refused');
  assert.equal(annotations['validate.bulla.dev/codes'], 'signature.none');
  const [id = '', outcome] = annotations['validate.bulla.dev/decisions']?.split('=') ?? [];
  assert.equal(outcome, 'deny');
  assert.equal((await owner.ask('GET', `/decisions/${id}`)).status, 200);
  const events = await kube.audited();
  const made = events.findLast(
    ({ requestURI, responseStatus }) => requestURI === PODS && responseStatus?.code === 201,
  );
  const outcomes = ['mutate', 'validate'].map((hook) => {
    return made?.annotations?.[`${hook}.bulla.dev/outcome`];
  });
  assert.deepEqual(outcomes, ['pinned', 'admitted']);
}

/** Whoever rules a namespace may label it, but not with this. */
async function playOptingOut({ kube, owner, digest }: AdmissionHouse): Promise<void> {
  const labels = { 'bulla.dev/admission': 'ignore' };
  const namespace = `/api/v1/namespaces/${LOOKED_AT}`;
  const label = (name: string) =>
    kube.askAs(DEV, 'PATCH', `${namespace}?dryRun=All`, { metadata: { labels: { [name]: 'x' } } });
  assertTaken(await label('acme.example/mine'));
  const out = await kube.askAs(DEV, 'PATCH', namespace, { metadata: { labels } });
  assert.equal(out.status, 403);
  assert.match(out.body.message, /bulla-guard/);
  const image = `${HOST}/prod/quiet:unsigned`;
  const path = `/api/v1/namespaces/${LEFT_OUT}/pods`;
  assertTaken(await kube.askAs(DEV, 'POST', path, podOf('quiet', image)));
  const { json } = await owner.ask('GET', `/decisions?digest=${digest('prod/quiet:unsigned')}`);
  assert.deepEqual(json.decisions, []);
}

/** As a GitOps controller syncs; nothing is refused because there is much of it. */
async function playBulk(house: AdmissionHouse): Promise<void> {
  const { kube, pinned } = house;
  const { of } = workloadKind('Deployment');
  const names = Array.from({ length: 60 }, (_, index) => `bulk-${index}`);
  const answers = await Promise.all(
    names.map((name) => kube.askAs(DEV, 'POST', DEPLOYMENTS, of(name, specOf(ALL_SIGNED)))),
  );
  for (const answer of answers) assertTaken(answer);
  const { items } = await stored(house, DEPLOYMENTS);
  const bulk = items.filter(({ metadata }: Json) => metadata.name.startsWith('bulk-'));
  assert.equal(bulk.length, names.length);
  const written = new Set(bulk.flatMap(({ spec }: Json) => imagesOf(spec.template.spec)));
  assert.deepEqual(written, new Set(['prod/app:1', 'prod/side:1', 'prod/app:2'].map(pinned)));
}

/** All are named; more than anybody has are not even looked for. */
async function playMany({ kube }: AdmissionHouse): Promise<void> {
  const podWith = (count: number) => {
    const containers = Array.from({ length: count }, (_, index) => ({
      name: `c-${index}`,
      image: `${HOST}/prod/missing-${index}:1`,
    }));
    return podOf('many', '', { containers });
  };
  const many = await kube.askAs(DEV, 'POST', PODS, podWith(500));
  const names = podWith(500).spec.containers.map(({ image }: Json) => `- ${image} (`);
  assertRefused(many, '500 images are refused', ...names);
  const tooMany = await kube.askAs(DEV, 'POST', PODS, podWith(1001));
  assert.equal(tooMany.status, 400, JSON.stringify(tooMany.body).slice(0, 1000));
  assert.match(tooMany.body.message, /admission\.too-many-images/);
}

/** The API server counts our annotations too, and refuses what has too many of them. */
async function playFull(house: AdmissionHouse): Promise<void> {
  const annotations = { blob: 'x'.repeat((256 << 10) - 'blob'.length - 10) };
  const full = podOf('full', APP, { metadata: { annotations } });
  assertTaken(await house.kube.askAs(DEV, 'POST', PODS, full));
  const { metadata, spec } = await stored(house, `${PODS}/full`);
  assert.deepEqual(imagesOf(spec), [house.pinned('prod/app:1')]);
  assert.deepEqual(Object.keys(metadata.annotations), ['blob']);
}

/** More than the API server passes on: nothing of ours is cut or dropped by it. */
async function playWarnings({ kube }: AdmissionHouse): Promise<void> {
  const team = 'team-with-a-name-that-is-long-enough-to-be-cut';
  const containers = Array.from({ length: 80 }, (_, index) => ({
    name: `c-${index}`,
    image: `${HOST}/lab/${team}/app-${index}:1`,
  }));
  const pod = podOf('warned', '', { containers });
  const answer = await kube.askAs(DEV, 'POST', `${PODS}?dryRun=All`, pod);
  assertTaken(answer);
  const texts = Buffer.from(answer.warnings.join(', '), 'latin1').toString().split(', 299 - ');
  assert.match(texts.at(-1) ?? '', /^"\d+ more warnings stand in the record"$/);
  for (const text of texts.slice(1, -1)) assert.match(text, /^"….*app-\d+:1: .*"$/);
}

const SCENES: Readonly<Record<string, (house: AdmissionHouse) => Promise<void>>> = {
  'updates of every kind of request': playUpdates,
  'what was there before may go on, and take in nothing new': playLegacy,
  'a tag that was moved': playMoved,
  'ephemeral containers, and subresources that nobody is asked about': playSubresources,
  'deletion is not held up': playDeletion,
  'a dry run leaves no trace': playDryRun,
  'generated names, warnings, and who asked': playNames,
  'a namespace that is out of sight, and who may put it there': playOptingOut,
  'sixty objects at a time': playBulk,
  'very many images': playMany,
  'annotations that are nearly full': playFull,
  'more warnings than anybody reads': playWarnings,
  'the audit log of the API server leads to the record': playAudit,
};

test('a real API server and the built server: every kind, every place, every request', async (t) => {
  const opened = await openAdmissionHouse(t, { before: leaveLegacy });
  if (opened === null) return;
  await using house = opened;
  for (const kind of WORKLOAD_KINDS) await t.test(kind.kind, () => playKind(house, kind));
  for (const [name, play] of Object.entries(SCENES)) await t.test(name, () => play(house));
  await assertUnharmed(house.server);
});
