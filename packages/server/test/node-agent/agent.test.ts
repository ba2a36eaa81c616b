import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import {
  ABSENT,
  DIGEST,
  descriptorOf,
  lineOf,
  NAME,
  OTHER,
  open,
  passOf,
  refusalOf,
} from './kit.ts';

test('what the server says holds, with its decision', async () => {
  await using kit = await open();
  const passed = await kit.agent.judge(lineOf());
  assert.equal(passed.allow, true);
  assert.match(passed.reason, /decision D1/);
  kit.says(({ digest }) => refusalOf(digest));
  const refused = await kit.agent.judge(lineOf({ name: 'registry.example/bad' }));
  assert.deepEqual(refused, {
    allow: false,
    digest: DIGEST,
    reason: 'signature.none: no signature',
  });
});

test('the question is the digest that containerd resolved; the name places it', async () => {
  await using kit = await open();
  await kit.agent.judge(lineOf());
  assert.deepEqual(kit.asked, [{ name: NAME, digest: DIGEST }]);
});

test('a pass is given again unasked while it is fresh, and not a moment longer', async () => {
  await using kit = await open();
  await kit.agent.judge(lineOf());
  kit.pass(29);
  assert.equal((await kit.agent.judge(lineOf())).allow, true);
  assert.equal(kit.asked.length, 1);
  kit.pass(1);
  kit.says(({ digest }) => refusalOf(digest));
  assert.equal((await kit.agent.judge(lineOf())).allow, false);
  assert.equal(kit.asked.length, 2);
});

test('a node that is to ask each time does, whatever the server allows', async () => {
  await using kit = await open(15 * 60_000, 0);
  await kit.agent.judge(lineOf());
  await kit.agent.judge(lineOf());
  assert.equal(kit.asked.length, 2);
});

test('a refusal is asked about anew each time', async () => {
  await using kit = await open();
  kit.says(({ digest }) => refusalOf(digest));
  await kit.agent.judge(lineOf());
  kit.says(({ digest }) => passOf(digest));
  assert.equal((await kit.agent.judge(lineOf())).allow, true);
});

test('a pass of one name says nothing of the digest under another, nor of another digest', async () => {
  await using kit = await open();
  await kit.agent.judge(lineOf());
  kit.says(() => ABSENT);
  assert.equal((await kit.agent.judge(lineOf({ name: 'evil.example/app:v1' }))).allow, false);
  const other = lineOf({ digest: OTHER, input: descriptorOf(OTHER) });
  assert.equal((await kit.agent.judge(other)).allow, false);
});

test('equal questions at one time are asked once', async () => {
  await using kit = await open();
  const both = await Promise.all([kit.agent.judge(lineOf()), kit.agent.judge(lineOf())]);
  assert.deepEqual(
    both.map(({ allow }) => allow),
    [true, true],
  );
  assert.equal(kit.asked.length, 1);
});

test('while the server is absent an earlier pass stands in, says so, and is told later', async () => {
  await using kit = await open();
  await kit.agent.judge(lineOf());
  kit.pass(60);
  kit.says(() => ABSENT);
  kit.reportsFail(ABSENT);
  const judgement = await kit.agent.judge(lineOf());
  assert.equal(judgement.allow, true);
  assert.match(judgement.reason, /no answer.*60 s ago.*D1.*stands in.*15 min/);
  kit.pass(10);
  await kit.agent.judge(lineOf());
  await kit.agent.report();
  assert.deepEqual(kit.reports, []);
  kit.reportsFail(null);
  await kit.agent.report();
  const standIn = { name: NAME, digest: DIGEST, decision: 'D1', count: 2 };
  const first = new Date('2026-11-21T12:01:00Z');
  const last = new Date('2026-11-21T12:01:10Z');
  assert.deepEqual(kit.reports, [{ standIns: [{ ...standIn, first, last }], dropped: 0 }]);
  await kit.agent.report();
  assert.equal(kit.reports.length, 1, 'what was told is told once');
});

test('what stood in is told also after a kill', async () => {
  await using kit = await open();
  await kit.agent.judge(lineOf());
  kit.pass(60);
  kit.says(() => ABSENT);
  await kit.agent.judge(lineOf());
  await kit.restart();
  await kit.agent.report();
  assert.equal(kit.reports[0]?.standIns[0]?.count, 1);
});

test('no earlier pass stands in beyond the stated time, by either clock', async () => {
  await using kit = await open(15 * 60_000);
  await kit.agent.judge(lineOf());
  kit.says(() => ABSENT);
  kit.pass(15 * 60 - 1);
  assert.equal((await kit.agent.judge(lineOf())).allow, true);
  kit.pass(1);
  assert.equal((await kit.agent.judge(lineOf())).allow, false);
  // A clock that is set back makes nothing last longer.
  kit.setClock(-10 * 60);
  assert.equal((await kit.agent.judge(lineOf())).allow, false);
});

test('a pass from the future, as after a clock was set back, stands in for nothing', async () => {
  await using kit = await open();
  await kit.agent.judge(lineOf());
  kit.says(() => ABSENT);
  await kit.restart();
  kit.setClock(-60);
  assert.equal((await kit.agent.judge(lineOf())).allow, false);
});

test('nor beyond its evidence', async () => {
  await using kit = await open();
  kit.says(({ digest }) => passOf(digest, { validUntil: '2026-11-21T12:01:00.000Z' }));
  await kit.agent.judge(lineOf());
  kit.says(() => ABSENT);
  kit.pass(59);
  assert.equal((await kit.agent.judge(lineOf())).allow, true);
  kit.pass(1);
  assert.equal((await kit.agent.judge(lineOf())).allow, false);
});

test('with a time of nothing nothing stands in', async () => {
  await using kit = await open(0);
  await kit.agent.judge(lineOf());
  kit.pass(30);
  kit.says(() => ABSENT);
  const { allow, reason } = await kit.agent.judge(lineOf());
  assert.equal(allow, false);
  assert.match(reason, /^node\.server-absent/);
});

test('what may not stand in does not, and is asked about each time', async () => {
  await using kit = await open();
  kit.says(({ digest }) => passOf(digest, { mayStandIn: false, freshForMs: 0 }));
  await kit.agent.judge(lineOf());
  kit.says(() => ABSENT);
  assert.equal((await kit.agent.judge(lineOf())).allow, false);
});

test('a refusal ends the pass before it', async () => {
  await using kit = await open();
  await kit.agent.judge(lineOf());
  kit.pass(30);
  kit.says(({ digest }) => refusalOf(digest));
  await kit.agent.judge(lineOf());
  kit.says(() => ABSENT);
  assert.equal((await kit.agent.judge(lineOf())).allow, false);
  await kit.restart();
  assert.equal((await kit.agent.judge(lineOf())).allow, false);
});

const PRESENT: readonly TrustFault[] = [
  new TrustFault('record.unavailable', 'no space'),
  new TrustFault('access.credentials-invalid', 'the token was revoked'),
  new TrustFault('access.denied', 'expected the permission node.ask'),
  new TrustFault('http.rate-limited', 'too many'),
  new TrustFault('server.refused', 'a.code-of-a-later-release'),
  new TrustFault('node.answer-malformed', 'expected an answer about another digest'),
  new TrustFault('internal.defect', 'unexpected'),
];

for (const fault of PRESENT) {
  test(`a server that answers ${fault.code} is not absent: nothing stands in`, async () => {
    await using kit = await open();
    await kit.agent.judge(lineOf());
    kit.pass(30);
    kit.says(() => fault);
    const { allow, reason } = await kit.agent.judge(lineOf());
    assert.equal(allow, false);
    assert.ok(reason.startsWith(fault.code), reason);
  });
}

for (const code of ['server.timeout', 'server.unreachable', 'server.answer-malformed'] as const) {
  test(`an earlier pass stands in for ${code}`, async () => {
    await using kit = await open();
    await kit.agent.judge(lineOf());
    kit.pass(30);
    kit.says(() => new TrustFault(code, 'nothing came'));
    assert.equal((await kit.agent.judge(lineOf())).allow, true);
  });
}

for (const answer of [null, new TrustFault('access.denied', 'no right')]) {
  test(`a server that is slow about one image and answers else (${answer?.code ?? 'well'}) is not absent`, async () => {
    await using kit = await open();
    await kit.agent.judge(lineOf());
    kit.pass(30);
    kit.says(() => new TrustFault('server.timeout', 'nothing came'));
    kit.probesFail(answer);
    const { allow, reason } = await kit.agent.judge(lineOf());
    assert.equal(allow, false);
    assert.match(reason, /^server\.timeout/);
  });
}

test('another generation ends all that was kept, at the next contact, also after a kill', async () => {
  await using kit = await open();
  await kit.agent.judge(lineOf());
  kit.says(({ digest }) => passOf(digest, { generation: 'g2', decision: 'D2' }));
  // A revocation became known by the answer about another image.
  await kit.agent.judge(lineOf({ digest: OTHER, input: descriptorOf(OTHER) }));
  kit.says(() => ABSENT);
  assert.equal((await kit.agent.judge(lineOf())).allow, false);
  await kit.restart();
  assert.equal((await kit.agent.judge(lineOf())).allow, false);
  const other = await kit.agent.judge(lineOf({ digest: OTHER, input: descriptorOf(OTHER) }));
  assert.equal(other.allow, true, 'what was passed under the new one is kept');
});

test('an answer from before a revocation that comes after it is given, and not kept', async () => {
  await using kit = await open();
  await kit.agent.judge(lineOf({ name: 'registry.example/first' }));
  const slow = Promise.withResolvers<ReturnType<typeof passOf>>();
  kit.says(() => slow.promise);
  const waiting = kit.agent.judge(lineOf());
  kit.says(({ digest }) => refusalOf(digest, { generation: 'g2' }));
  await kit.agent.judge(lineOf({ name: 'registry.example/second' }));
  slow.resolve(passOf(DIGEST, { generation: 'g1' }));
  assert.equal((await waiting).allow, true);
  kit.says(() => ABSENT);
  assert.equal((await kit.agent.judge(lineOf())).allow, false);
});

test('a question that cannot be read blocks, and asks nobody', async () => {
  await using kit = await open();
  const { allow, digest, reason } = await kit.agent.judge(Buffer.from('allow'));
  assert.equal(allow, false);
  assert.equal(digest, null);
  assert.match(reason, /^node\.request-invalid/);
  assert.equal(kit.asked.length, 0);
});

test('warnings of an image that is let through are passed on', async () => {
  await using kit = await open();
  kit.says(({ digest }) => passOf(digest, { warnings: ['policy dev: not signed'] }));
  assert.match((await kit.agent.judge(lineOf())).reason, /policy dev: not signed/);
});
