import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { decide } from '@bulla/trust/decide';
import { newDecisionId } from '@bulla/trust/decide/decision-id';
import { writeDossier } from '@bulla/trust/decide/dossier';
import { TrustFault } from '@bulla/trust/fault/fault';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference } from '@bulla/trust/oci/reference';
import { type CelRunner, openExpressionRunner } from '@bulla/trust/policy/cel/runner';
import { parsePolicies } from '@bulla/trust/policy/parse';
import type { PolicySet } from '@bulla/trust/policy/policy-set';
import { parsePolicyKey } from '@bulla/trust/policy/public-key';
import { policySet, readyPolicy } from '@bulla/trust/policy/ready';
import {
  createImpact,
  IMPACT_LIMITS,
  type ImpactLimits,
  type ImpactService,
} from '../../src/impact/service.ts';
import { made, openRoom, type RoomUnderTest } from '../record/room.ts';

const VECTORS = new URL('../../../../vectors/cosign/', import.meta.url);
const ANN = { kind: 'user', id: 'u1', name: 'ann' } as const;
const REPOSITORY = 'registry.example/shop/web';

function policyText(require: string, more = '', name = 'prod'): string {
  return `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: ${name} }
spec:
  images: [{ glob: "**" }]
  authorities: { dev: { key: { ref: dev.pub } }, qa: { key: { ref: qa.pub } } }
  require: ${require}
${more}`;
}

const EITHER = policyText('{ signed: { of: [dev, qa] } }');
const keys: Record<string, string> = {};
let runner: CelRunner;
let inForce: PolicySet;
let attesting: PolicySet;

before(async () => {
  runner = openExpressionRunner();
  keys['dev.pub'] = await readFile(new URL('keys/p256.pub', VECTORS), 'utf8');
  keys['qa.pub'] = await readFile(new URL('keys/second.pub', VECTORS), 'utf8');
  const parsed = ['dev', 'qa'].map(
    (name) => [name, parsePolicyKey(Buffer.from(keys[`${name}.pub`] ?? ''), name)] as const,
  );
  const setOf = (text: string) => {
    const [policy] = parsePolicies(Buffer.from(text), 'prod.yaml').policies;
    assert.ok(policy !== undefined);
    return policySet([readyPolicy(policy, { keys: new Map(parsed), trustRoots: new Map() })]);
  };
  inForce = setOf(EITHER);
  attesting = setOf(policyText('{ attested: { type: slsaprovenance1, by: [dev] } }'));
});

after(() => runner[Symbol.asyncDispose]());

interface Scene extends AsyncDisposable {
  readonly room: RoomUnderTest;
  readonly impact: ImpactService;
  /** Keeps a decision about the image under this tag of the fixtures, p256 being signed by dev. */
  decided(tag: string, more?: DecidedShape): Promise<string>;
}

interface DecidedShape {
  readonly surface?: 'pull' | 'admission';
  readonly namespace?: string;
  readonly evidence?: false;
  readonly excepted?: true;
  /** By policies that ask for an attestation of dev, about an image that has some. */
  readonly attested?: true;
}

async function open(
  limits: Partial<ImpactLimits> = {},
  now = () => performance.now(),
  expressions = runner,
  policies = inForce,
): Promise<Scene> {
  const room = await openRoom();
  const clock = () => new Date(room.time.ms);
  let ids = 0;
  const impact = createImpact({
    tables: room.tables,
    record: room.record,
    policies: () => policies,
    expressions: () => expressions,
    limits: { ...IMPACT_LIMITS, ...limits },
    newId: (at) => newDecisionId(at, Buffer.alloc(10, ++ids)),
    clock,
    now,
  });
  return {
    room,
    impact,
    async decided(tag, { surface = 'pull', namespace = null as string | null, ...more } = {}) {
      room.time.ms += 1000;
      const at = clock();
      const id = newDecisionId(at, Buffer.alloc(10, ++ids));
      const file = more.attested === true ? 'cosign-attestations.tar' : 'cosign-key-legacy';
      const layout = new URL(`oci/${file}`, VECTORS).pathname;
      const { decision, dossier } = await decide({
        id,
        reference: `${REPOSITORY}:${tag}`,
        scope: { repository: REPOSITORY, surface, namespace, environment: null },
        ...{ tag, digest: null, platform: null, parents: [], problem: null, rollback: null },
        source: await openStore(parseReference(`oci:${layout}:${tag}`), {
          env: {},
          homeFolder: '/nonexistent',
        }),
        policies: more.attested === true ? attesting : inForce,
        expressions: () => runner,
        lastPass: async () => null,
        at,
        now: () => performance.now(),
      });
      const exceptions = [
        {
          ...{
            id: `sha256:${'1'.repeat(64)}` as const,
            name: 'hotfix',
            kind: 'exception' as const,
          },
          ...{ requester: 'ann', approver: 'bob', reason: 'tonight', expires: at },
          ...{ policy: 'prod', clauses: ['require'] },
        },
      ];
      const lifted = more.excepted === true ? { outcome: 'admit' as const, exceptions } : {};
      const given = made(
        { ...decision, ...lifted },
        { at, ...(more.evidence === false ? {} : { dossier: writeDossier(dossier) }) },
      );
      await room.record.keep(given);
      return id;
    },
    [Symbol.asyncDispose]: () => room[Symbol.asyncDispose](),
  };
}

const simulating = (text: string, more = {}) => ({
  days: 7,
  candidate: {
    documents: [{ file: 'new.yaml', text }],
    keys: {},
    trustRoots: {},
    remove: [],
    ...more,
  },
});

// biome-ignore lint/suspicious/noExplicitAny: what is stored is JSON
type Stored = any;

const CANDIDATES = [
  { name: 'the same', text: EITHER, web: null, bare: null },
  {
    name: 'both keys',
    text: policyText('{ signed: { of: [dev, qa], atLeast: 2 } }'),
    web: 'refused',
    bare: null,
  },
  {
    name: 'a mode that only warns',
    text: policyText('{ signed: { of: [dev, qa] } }', '  mode: warn\n'),
    web: null,
    bare: 'admitted',
  },
  {
    // Nobody looked for attestations: that is no pass, and no failure.
    name: 'evidence that was never looked for',
    text: policyText(
      '{ all: [{ signed: { of: [dev] } }, { attested: { type: vuln, by: [qa] } }] }',
    ),
    web: 'unknown',
    bare: null,
  },
  {
    name: 'evidence that was never looked for, where it only warns',
    text: policyText('{ attested: { type: vuln, by: [qa] } }', '  mode: warn\n'),
    web: 'unknown',
    bare: 'unknown',
  },
] as const;

for (const { name, text, web, bare } of CANDIDATES) {
  test(`a candidate with ${name}`, async () => {
    await using scene = await open();
    await scene.decided('p256');
    await scene.decided('p384');
    const before = (await scene.room.record.verify()).entries;
    const stored: Stored = await scene.impact.simulate(ANN, simulating(text));
    const changes = new Map<string, string>(
      stored.result.changes.map((one: Stored) => [one.reference, one.change]),
    );
    assert.equal(changes.get(`${REPOSITORY}:p256`) ?? null, web, JSON.stringify(stored, null, 1));
    assert.equal(changes.get(`${REPOSITORY}:p384`) ?? null, bare);
    assert.deepEqual([stored.totals.images, stored.totals.complete], [2, true]);
    // It leaves no trace in the record, and stays for whoever looks later.
    assert.equal((await scene.room.record.verify()).entries, before);
    assert.deepEqual(await scene.impact.get(stored.id), JSON.parse(JSON.stringify(stored)));
    assert.equal((await scene.impact.list(null, 10))[0]?.id, stored.id);
  });
}

test('a candidate’s own key counts, and one of the server’s files is read for nobody', async () => {
  await using scene = await open();
  await scene.decided('p256');
  const other = policyText('{ signed: { of: [dev] } }').replace('dev.pub', 'mine.pub');
  const given = await scene.impact.simulate(
    ANN,
    simulating(other, { keys: { 'mine.pub': keys['qa.pub'] } }),
  );
  assert.equal((given as Stored).result.changes[0].change, 'refused');
  for (const ref of ['mine.pub', '/etc/hostname', '../dev.pub']) {
    const text = policyText('{ signed: { of: [dev] } }').replace('dev.pub', ref);
    await assert.rejects(scene.impact.simulate(ANN, simulating(text)), {
      code: 'impact.candidate-invalid',
    });
  }
});

const INVALID = [
  { name: 'no policy', text: 'kind: Pod\n', more: {} },
  { name: 'half a policy', text: policyText('{ signed: { of: [] } }'), more: {} },
  {
    name: 'a trust root that nobody has',
    text: policyText('{ signed: { of: [dev] } }').replace(
      'ref: dev.pub',
      'ref: dev.pub, trustRoot: acme',
    ),
    more: {},
  },
  {
    name: 'an expression that is none',
    text: policyText('{ attested: { type: vuln, by: [dev], where: "predicate..x" } }'),
    more: {},
  },
  { name: 'one to remove that is not there', text: EITHER, more: { remove: ['other'] } },
] as const;

for (const { name, text, more } of INVALID) {
  test(`refused as a candidate: ${name}`, async () => {
    await using scene = await open();
    await assert.rejects(scene.impact.simulate(ANN, simulating(text, more)), {
      code: 'impact.candidate-invalid',
    });
    assert.deepEqual(await scene.impact.list(null, 10), []);
  });
}

test('what only an exception let in is told apart, and what has no evidence is unknown', async () => {
  await using scene = await open();
  await scene.decided('p384', { excepted: true });
  await scene.decided('p256', { evidence: false });
  const stored: Stored = await scene.impact.simulate(ANN, simulating(EITHER));
  const { refused, excepted, unknown } = stored.totals;
  assert.deepEqual([refused, excepted, unknown], [0, 1, 1]);
});

test('an impact tells where what is lost runs, once for all places', async () => {
  await using scene = await open();
  await scene.decided('p256');
  await scene.decided('p256', { surface: 'admission', namespace: 'shop' });
  await scene.decided('p384');
  const stored: Stored = await scene.impact.impact(ANN, {
    days: 7,
    runningDays: 7,
    changes: [{ kind: 'retire-key', key: 'dev' }],
  });
  const [image, ...more] = stored.result.images;
  assert.deepEqual(more, []);
  assert.deepEqual(
    [image.impact, image.running, image.tags, image.deployable],
    ['lost', ['admission in shop'], ['p256'], true],
  );
  assert.match(image.policies[0].reSign[0].says, /authority qa/);
  const { byImpact, lostRunning, complete } = stored.totals;
  assert.deepEqual([byImpact.lost, byImpact.refused, lostRunning, complete], [1, 1, 1, true]);
  await assert.rejects(
    scene.impact.impact(ANN, {
      days: 7,
      runningDays: 7,
      changes: [{ kind: 'retire-key', key: 'x' }],
    }),
    { code: 'impact.change-unknown' },
  );
});

for (const { name, limits, left, images } of [
  { name: 'images', limits: { images: 1 }, left: 0, images: 1 },
  { name: 'decisions', limits: { decisions: 1 }, left: 0, images: 1 },
  { name: 'time', limits: { deadlineMs: 0 }, left: 2, images: 0 },
] as const) {
  test(`an answer that is bounded by ${name} says that it is not all`, async () => {
    await using scene = await open(limits);
    await scene.decided('p256');
    await scene.decided('p384');
    const { totals }: Stored = await scene.impact.simulate(ANN, simulating(EITHER));
    assert.deepEqual([totals.complete, totals.left, totals.images], [false, left, images]);
  });
}

test('more than may wait are refused', async () => {
  await using scene = await open();
  const all = await Promise.allSettled(
    Array.from({ length: 6 }, () => scene.impact.simulate(ANN, simulating(EITHER))),
  );
  const refused = all.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []));
  assert.deepEqual(refused, ['impact.busy', 'impact.busy']);
});

test('the newest two hundred are kept', async () => {
  await using scene = await open();
  for (let at = 0; at < 203; at++) {
    scene.room.time.ms += 1000;
    await scene.impact.simulate(ANN, simulating(EITHER));
  }
  const all = await scene.impact.list(null, 1000);
  assert.equal(all.length, 200);
  assert.ok(all.every(({ at }, index) => index === 0 || at < (all[index - 1]?.at ?? '')));
  await assert.rejects(scene.impact.get('0'.repeat(26)), { code: 'impact.unknown' });
});

test('an image whose time ended while it was asked about is left, whenever that was', async () => {
  let left = 0;
  // Whoever asks for the time is told the next number, so each limit ends the run at another place.
  for (let deadlineMs = 1; deadlineMs < 40; deadlineMs += 1) {
    let ticks = 0;
    await using scene = await open({ deadlineMs }, () => ticks++);
    await scene.decided('p256');
    await scene.decided('p384');
    const { totals, result }: Stored = await scene.impact.simulate(ANN, simulating(EITHER));
    assert.equal(totals.images + totals.left, 2);
    assert.deepEqual(result.changes, []);
    assert.equal(totals.complete, totals.left === 0);
    left += totals.left;
    const changes = [{ kind: 'retire-key' as const, key: 'dev' }];
    const impact: Stored = await scene.impact.impact(ANN, { days: 7, runningDays: 7, changes });
    assert.equal(impact.totals.images + impact.totals.left, 2);
    const told = impact.result.images.map((one: Stored) => one.impact);
    assert.ok(
      told.every((one: string) => one === 'lost'),
      told.join(),
    );
  }
  assert.ok(left > 2);
});

test('expressions that take the whole time refuse no image, and hold up nobody for longer', async () => {
  const slow: CelRunner = {
    checkExpression: async () => undefined,
    async evaluate(_expression, _variables, { deadlineMs }) {
      time += deadlineMs;
      asked += 1;
      throw new TrustFault('cel.timeout', 'late');
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  let time = 0;
  let asked = 0;
  await using scene = await open({ deadlineMs: 3000 }, () => time, slow, attesting);
  await scene.decided('key-legacy', { attested: true });
  const clause = '{ attested: { type: slsaprovenance1, by: [dev], where: "predicate.x == 1" } }';
  const text = policyText(`{ all: [${Array.from({ length: 100 }, () => clause).join(', ')}] }`);
  const { totals, result }: Stored = await scene.impact.simulate(ANN, simulating(text));
  assert.deepEqual([totals.images, totals.left, totals.complete], [0, 1, false]);
  assert.deepEqual(result.changes, []);
  assert.ok(asked > 0 && time <= 3000, `${asked} ${time}`);
});

test('what is asked is one short line, and what comes out can be read again', async () => {
  await using scene = await open();
  await scene.decided('p256');
  const both = '{ signed: { of: [dev, qa], atLeast: 2 } }';
  const many = Array.from({ length: 400 }, (_, at) => policyText(both, '', `p${at}`));
  const documents = [{ file: `a\u0000\n${'x'.repeat(2000)}`, text: many.join('---\n') }];
  const stored: Stored = await scene.impact.simulate(ANN, simulating('', { documents }));
  assert.ok(stored.asked.length < 600);
  assert.doesNotMatch(stored.asked, /\p{Cc}/u);
  assert.equal(stored.result.changes[0].because.length, 20);
  assert.deepEqual(await scene.impact.get(stored.id), JSON.parse(JSON.stringify(stored)));
});
