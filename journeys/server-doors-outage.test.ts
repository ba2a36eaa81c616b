// A registry that hangs, drips or dies in the middle of an admission; policies and certificates that change
// under callers; a certificate that ends while it is served.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { type ApiServer, apiServer } from '../packages/server/test/admission/api-server.ts';
import { pod, reviewOf } from '../packages/server/test/admission/reviews.ts';
import { mint } from '../packages/server/test/http/tls/mint.ts';
import { type AllDoors, openAllDoors, writeCertificate } from './all-doors.ts';
import { assertUnharmed, signedPolicy, until } from './server.ts';

let doors: AllDoors;

before(async () => {
  doors = await openAllDoors();
});

after(async () => {
  await assertUnharmed(doors.server);
  await doors[Symbol.asyncDispose]();
});

/** An API server that waits for so many seconds, on connections of its own. */
function caller(timeoutSeconds = 10): ApiServer {
  const service = { name: 'bulla', namespace: 'bulla-system' };
  const caBundle = doors.authority.certificate;
  return apiServer({ port: doors.ports.admission, caBundle, service, timeoutSeconds });
}

const validate = (api: ApiServer, image: string) =>
  api.call('validate', reviewOf({ object: pod([image]) }));

/** By whom the time is measured: the look at the evidence, or the door that waits for it. */
const LATE = /decision\.timeout|admission\.deadline/;

const MOODS = [
  { mood: 'hangs', code: LATE },
  { mood: 'drips', code: LATE },
  { mood: 'cuts', code: /registry\.unreachable|decision\.timeout|admission\.deadline/ },
] as const;

for (const { mood, code } of MOODS) {
  test(`a registry that ${mood} is a denial before the API server gives up, and others are let in`, async (t) => {
    const fresh = await doors.push(`team/${mood}`);
    const known = await doors.push(`team/known-${mood}`);
    assert.equal((await validate(doors.api, known)).allowed, true);
    const api = caller(2);
    t.after(() => api.close());
    doors.registry.mood = mood;
    t.after(() => {
      doors.registry.mood = 'serves';
    });
    const [denied, other] = await Promise.all([validate(api, fresh), validate(api, known)]);
    assert.equal(denied.allowed, false);
    assert.match(denied.message, code);
    assert.equal(other.allowed, true, other.message);
    const again = await validate(api, doors.images.unsigned);
    assert.equal(again.allowed, false);
    const mutated = await api.call(
      'mutate',
      reviewOf({ object: pod([`${doors.host}/team/${mood}:v1`]) }),
    );
    assert.deepEqual([mutated.allowed, mutated.patch], [true, []]);
    doors.registry.mood = 'serves';
    // What waited for the registry ends by itself, and a refusal lasts for ten seconds at most.
    await until('it is let in', async () => (await validate(doors.api, fresh)).allowed);
  });
}

test('who has images looked at that never come stops no other image of the registry', async (t) => {
  const fresh = await doors.push('team/beside');
  Object.assign(doors.registry, { mood: 'hangs', repository: 'team/slow' });
  t.after(() => Object.assign(doors.registry, { mood: 'serves', repository: null }));
  const slow = Array.from(
    { length: 6 },
    (_, n) => `${doors.host}/team/slow@sha256:${String(n).repeat(64)}`,
  );
  for (const { allowed } of await Promise.all(slow.map((image) => validate(doors.api, image)))) {
    assert.equal(allowed, false);
  }
  const { allowed, message } = await validate(doors.api, fresh);
  assert.equal(allowed, true, message);
});

test('policies that are exchanged in mid-request let in by the old or the new ones, and by nothing between', async () => {
  const { stage, api, images, server } = doors;
  const policy = (name: string) =>
    signedPolicy({ name, pub: stage.path('release.pub'), images: `${doors.host}/**` });
  let going = true;
  const lanes = [images.signed, images.unsigned].map(async (image) => {
    let answered = 0;
    while (going) {
      const { allowed, message } = await validate(api, image);
      assert.equal(allowed, image === images.signed, message);
      answered += 1;
    }
    return answered;
  });
  for (let round = 0; round < 6; round++) {
    await stage.write('policies/release.yaml', policy(`release-${round}`));
    server.reload();
    await sleep(100);
  }
  // Half a policy is none: the ones before stay, and the server says so.
  await stage.write('policies/release.yaml', policy('broken').slice(0, 120));
  server.reload();
  await sleep(200);
  going = false;
  for (const answered of await Promise.all(lanes)) assert.ok(answered > 6);
  assert.match(server.said(), /policy\./);
  await stage.write('policies/release.yaml', policy('release-only'));
  server.reload();
});

test('certificates that are exchanged drop no request, halves of one change nothing', async () => {
  const { stage, images, server } = doors;
  const kept = doors.api;
  let going = true;
  const lane = async (fresh: boolean) => {
    for (let answered = 0; ; answered++) {
      if (!going) return answered;
      const api = fresh ? caller() : kept;
      assert.equal((await validate(api, images.signed)).allowed, true);
      if (fresh) api.close();
    }
  };
  const lanes = [lane(true), lane(false)];
  const other = mint('other', { by: doors.authority, purpose: 'server' });
  for (let round = 0; round < 3; round++) {
    await writeCertificate(stage, doors.authority);
    server.reload();
    await sleep(150);
    // Somebody is in the middle of writing the next one.
    await writeFile(stage.path('tls.crt'), other.certificate.slice(0, 200));
    server.reload();
    await sleep(150);
    // Or has written it, and not its key.
    await writeFile(stage.path('tls.crt'), other.certificate);
    server.reload();
    await sleep(150);
  }
  going = false;
  for (const answered of await Promise.all(lanes)) assert.ok(answered > 0);
  assert.match(server.said(), /http\.tls-invalid/);
});

test('a certificate that ends while it is served is served still, and the log and the metrics say so', async () => {
  const { stage, images, server } = doors;
  const serial = () =>
    new Promise<string>((resolve, reject) => {
      const to = { port: doors.ports.admission, host: '127.0.0.1', rejectUnauthorized: false };
      const socket = connect(to, () => {
        resolve(socket.getPeerCertificate().valid_to);
        socket.end();
      });
      socket.on('error', reject);
    });
  const before = await serial();
  const seconds = 3;
  await writeCertificate(stage, doors.authority, [-1, seconds / 86_400]);
  server.reload();
  await until('it is served', async () => (await serial()) !== before);
  const open = caller();
  assert.equal((await validate(open, images.signed)).allowed, true);
  const ends = /^bulla_tls_certificate_expires_seconds (\S+)$/m;
  await until('the metrics say that it has ended', async () => {
    const text = await (await fetch(`${server.origin}/metrics`)).text();
    return Number(ends.exec(text)?.[1]) < 0;
  });
  await until('the log says so', async () => /has ended, and is served still/.test(server.said()));
  // Who is connected, and who checks it another way, is answered.
  assert.equal((await validate(open, images.signed)).allowed, true);
  assert.equal((await validate(open, images.unsigned)).allowed, false);
  open.close();
  assert.notEqual(await serial(), before);
  await writeCertificate(stage, doors.authority);
  server.reload();
  const next = caller();
  await until('the next one is served', async () =>
    validate(next, images.signed).then(
      ({ allowed }) => allowed,
      () => false,
    ),
  );
  next.close();
});
