import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import { REQUEST_BOUNDS } from '../../src/exceptions/bounds.ts';
import type { RoomUnderTest } from './room.ts';
import {
  ANN,
  ANNS_TOKEN,
  approved,
  BEGIN,
  BOB,
  DIGEST,
  glass,
  newSigner,
  OTHER_DIGEST,
  openRoom,
  REPOSITORY,
  request,
} from './room.ts';

async function ids(room: RoomUnderTest, digest: string = DIGEST): Promise<readonly string[]> {
  const given = await room.another().given(REPOSITORY, [digest]);
  return given.map(({ document }) => document.id);
}

describe('an exception that is requested, approved and used', () => {
  test('holds from its approval to its expiry, on every replica', async () => {
    await using room = await openRoom();
    const asked = await request();
    assert.equal((await room.service.handIn(asked, ANN)).state, 'requested');
    assert.deepEqual(await ids(room), []);
    const stored = await room.service.approve(await approved(asked), BOB);
    assert.deepEqual([stored.state, stored.approved?.by.name], ['approved', 'bob']);
    assert.deepEqual(await ids(room), [asked.id]);
    assert.equal(room.raised(), 1);
    room.time.ms = BEGIN + 3600_000;
    assert.deepEqual(await ids(room), []);
  });

  test('is in the record before it holds, by whom and what', async () => {
    await using room = await openRoom();
    const asked = await request();
    await room.service.handIn(asked, ANN);
    await room.service.approve(await approved(asked), BOB);
    assert.deepEqual(
      room.acts.map(({ act, subject, actor }) => [act, subject, actor.name]),
      [
        ['exception.requested', asked.id, 'ann'],
        ['exception.approved', asked.id, 'bob'],
      ],
    );
    const { detail } = room.acts[1] ?? {};
    assert.deepEqual(detail?.['lifts'], [`production require ${DIGEST}`]);
    assert.equal(detail?.['approver'], 'bob@acme.example');
    assert.equal(detail?.['requester'], 'ann@acme.example');
  });

  test('is for its digest, or for all of its repository, and for nothing else', async () => {
    await using room = await openRoom();
    const one = await approved(await request());
    const all = await approved(await request({ name: 'all', digest: null }));
    for (const document of [one, all]) await room.service.handIn(document, BOB);
    assert.deepEqual(new Set(await ids(room)), new Set([one.id, all.id]));
    assert.deepEqual(await ids(room, OTHER_DIGEST), [all.id]);
    assert.deepEqual(await room.service.given(`${REPOSITORY}/sub`, [DIGEST]), []);
    assert.deepEqual(await room.service.given(REPOSITORY.toUpperCase(), [DIGEST]), []);
  });

  test('handed in twice is one', async () => {
    await using room = await openRoom();
    const asked = await request();
    const done = await approved(asked);
    await room.service.handIn(asked, ANN);
    await room.service.handIn(asked, ANN);
    await room.service.approve(done, BOB);
    assert.equal((await room.service.handIn(done, BOB)).state, 'approved');
    assert.equal((await room.service.handIn(asked, ANN)).state, 'approved');
    assert.deepEqual([room.acts.length, (await ids(room)).length], [2, 1]);
  });
});

/** Semantics 17: requester and approver differ. What keys cannot tell, accounts can. */
describe('one person cannot do both', () => {
  for (const [name, by] of [
    ['by their session', ANN],
    ['by a token of theirs', ANNS_TOKEN],
  ] as const) {
    test(`the requester hands in the approval ${name}`, async () => {
      await using room = await openRoom();
      const asked = await request();
      await room.service.handIn(asked, ANN);
      const done = await approved(asked);
      await assert.rejects(room.service.approve(done, by), { code: 'exception.self-approved' });
      await assert.rejects(room.service.handIn(done, by), { code: 'exception.self-approved' });
      assert.deepEqual(await ids(room), []);
    });
    test(`who broke the glass closes the review ${name}`, async () => {
      await using room = await openRoom();
      const { id } = await room.service.breakGlass(await glass(), ANN);
      room.time.ms += 2 * 3600_000;
      await assert.rejects(room.service.closeReview(id, by, 'fine'), {
        code: 'exception.self-reviewed',
      });
      assert.equal((await room.service.counts()).openReviews, 1);
    });
  }
});

describe('what is refused leaves nothing that holds', () => {
  test('a document whose signature is of something else', async () => {
    await using room = await openRoom();
    const [one, other] = [await request(), await request({ name: 'other' })];
    const forged = { ...one, request: { ...one.request, signatures: other.request.signatures } };
    await assert.rejects(room.service.handIn(forged, ANN), { code: 'exception.signature' });
    assert.deepEqual(room.acts, []);
  });
  test('an approval that no policy takes', async () => {
    await using room = await openRoom();
    room.policies.refusal = new TrustFault('exception.approver-unknown', 'nobody knows bob');
    const done = await approved(await request());
    await assert.rejects(room.service.handIn(done, BOB), { code: 'exception.approver-unknown' });
    assert.deepEqual(room.acts, []);
  });
  test('one that has expired', async () => {
    await using room = await openRoom();
    const asked = await request();
    await room.service.handIn(asked, ANN);
    room.time.ms = BEGIN + 3600_000;
    const done = await approved(asked);
    await assert.rejects(room.service.approve(done, BOB), { code: 'exception.expired' });
    const late = await request({ name: 'late' });
    await assert.rejects(room.service.handIn(late, ANN), { code: 'exception.expired' });
  });
  test('an approval of nothing that was requested, and one without an approval', async () => {
    await using room = await openRoom();
    const asked = await request();
    const done = await approved(asked);
    await assert.rejects(room.service.approve(done, BOB), { code: 'exception.unknown' });
    await room.service.handIn(asked, ANN);
    await assert.rejects(room.service.approve(asked, BOB), { code: 'exception.approval-missing' });
  });
  test('a document of the other kind', async () => {
    await using room = await openRoom();
    await assert.rejects(room.service.handIn(await glass(), ANN), { code: 'exception.state' });
    await assert.rejects(room.service.breakGlass(await request(), ANN), {
      code: 'exception.state',
    });
  });
});

describe('an exception that is revoked', () => {
  test('holds no longer, at once, whoever asks', async () => {
    await using room = await openRoom();
    const { id } = await room.service.handIn(await approved(await request()), BOB);
    const before = room.raised();
    const stored = await room.service.revoke(id, ANN, 'the build is back');
    assert.deepEqual([stored.state, stored.revoked?.says], ['revoked', 'the build is back']);
    assert.deepEqual([await ids(room), room.raised()], [[], before + 1]);
    assert.equal(room.acts.at(-1)?.act, 'exception.revoked');
  });
  test('holds no longer though the record cannot be written', async () => {
    await using room = await openRoom();
    const { id } = await room.service.handIn(await approved(await request()), BOB);
    room.record.fails = true;
    await assert.rejects(room.service.revoke(id, ANN, 'now'), { code: 'record.unavailable' });
    assert.deepEqual(await ids(room), []);
  });
  test('cannot be handed in again, nor approved', async () => {
    await using room = await openRoom();
    const asked = await request();
    await room.service.handIn(asked, ANN);
    await room.service.revoke(asked.id, ANN, 'not needed');
    const done = await approved(asked);
    await assert.rejects(room.service.approve(done, BOB), { code: 'exception.state' });
    assert.equal((await room.service.handIn(done, BOB)).state, 'revoked');
    assert.deepEqual(await ids(room), []);
  });
});

/** Semantics 17: break-glass is not valid until its record is durable. */
describe('break-glass', () => {
  test('holds when its record is durable, says so, and asks for a review', async () => {
    await using room = await openRoom();
    const stored = await room.service.breakGlass(await glass(), ANN);
    assert.deepEqual([stored.state, stored.review], ['approved', 'open']);
    const [given] = await room.service.given(REPOSITORY, [DIGEST]);
    assert.deepEqual([given?.recorded, given?.document.id], [true, stored.id]);
    assert.deepEqual([room.acts.at(-1)?.act, room.alarms.length], ['break-glass.used', 1]);
    assert.deepEqual(await room.service.counts(), {
      inForce: 1,
      breakGlassInForce: 1,
      openReviews: 1,
    });
  });
  test('does not hold when the record cannot be written', async () => {
    await using room = await openRoom();
    room.record.fails = true;
    await assert.rejects(room.service.breakGlass(await glass(), ANN), {
      code: 'record.unavailable',
    });
    assert.deepEqual([await ids(room), (await room.service.counts()).openReviews], [[], 0]);
  });
  test('whose process is killed between its record and its row does not hold, and can be handed in again', async () => {
    await using room = await openRoom();
    const document = await glass();
    room.record.kills = true;
    await assert.rejects(room.service.breakGlass(document, ANN));
    assert.deepEqual([room.acts.length, await ids(room)], [1, []]);
    room.record.kills = false;
    const stored = await room.another().breakGlass(document, ANN);
    assert.deepEqual([stored.state, stored.review], ['approved', 'open']);
    // The record says both, and holds what was tried.
    assert.deepEqual([room.acts.length, await ids(room)], [2, [document.id]]);
  });
  test('does not hold when no policy keeps that key for it', async () => {
    await using room = await openRoom();
    room.policies.refusal = new TrustFault('exception.approver-unknown', 'no such key');
    await assert.rejects(room.service.breakGlass(await glass(), ANN), {
      code: 'exception.approver-unknown',
    });
    assert.deepEqual([room.acts, await ids(room)], [[], []]);
  });
  test('is reviewed by somebody else, after it ended, once', async () => {
    await using room = await openRoom();
    const { id } = await room.service.breakGlass(await glass(), ANN);
    await assert.rejects(room.service.closeReview(id, BOB, 'too soon'), {
      code: 'exception.state',
    });
    await room.service.revoke(id, ANN, 'over');
    const stored = await room.service.closeReview(id, BOB, 'It was needed; the pager was down');
    assert.deepEqual([stored.review, stored.reviewed?.by.name], ['closed', 'bob']);
    assert.equal(room.acts.at(-1)?.act, 'break-glass.reviewed');
    assert.equal((await room.service.counts()).openReviews, 0);
    await assert.rejects(room.service.closeReview(id, BOB, 'again'), { code: 'exception.state' });
  });
  test('handed in twice alarms once', async () => {
    await using room = await openRoom();
    const document = await glass();
    await room.service.breakGlass(document, ANN);
    await room.service.breakGlass(document, ANN);
    assert.deepEqual([room.acts.length, room.alarms.length], [1, 1]);
  });
});

test('an approval whose process is killed between its record and its row does not hold', async () => {
  await using room = await openRoom();
  const asked = await request();
  await room.service.handIn(asked, ANN);
  const done = await approved(asked);
  room.record.kills = true;
  await assert.rejects(room.service.approve(done, BOB));
  assert.deepEqual(await ids(room), []);
  room.record.kills = false;
  await room.another().approve(done, BOB);
  assert.deepEqual(await ids(room), [asked.id]);
});

/** A hundred thousand requests of one member fill neither the table nor the record nor a list. */
describe('requests are bounded', () => {
  const { ofPersonInDay, ofPersonWaiting, forRepositoryWaiting } = REQUEST_BOUNDS;
  const tooMany = { code: 'exception.too-many' };

  test('those of one person that wait, by whatever token and at whatever pace', async () => {
    await using room = await openRoom();
    const signer = await newSigner();
    const all = await Promise.all(
      Array.from({ length: ofPersonWaiting + 5 }, (_, n) => request({ name: `n${n}` }, signer)),
    );
    const done = await Promise.allSettled(
      all.map((one, n) => room.service.handIn(one, n % 2 === 0 ? ANN : ANNS_TOKEN)),
    );
    const refused = done.filter(({ status }) => status === 'rejected');
    assert.deepEqual(
      refused.map((one) => Object(one).reason.code),
      refused.map(() => tooMany.code),
    );
    assert.equal(refused.length, 5);
    assert.equal(room.acts.length, ofPersonWaiting);
    // Another person is not kept from asking, nor is somebody from approving.
    await room.service.handIn(await request({ name: 'urgent' }), BOB);
    const [first] = all;
    assert.ok(first !== undefined);
    await room.service.approve(await approved(first), BOB);
    await room.service.handIn(await request({ name: 'next' }, signer), ANN);
    // What waited and has expired waits no more.
    await assert.rejects(
      room.service.handIn(await request({ name: 'over' }, signer), ANN),
      tooMany,
    );
    room.time.ms = BEGIN + 3600_000;
    const later = { expires: new Date(BEGIN + 7200_000) };
    await room.service.handIn(await request({ name: 'later', ...later }, signer), ANN);
  });

  test('those of one person in a day, withdrawn or not', async () => {
    await using room = await openRoom();
    await fill(room, ofPersonInDay, (n) => ({ requester: 'user u-ann', state: 'revoked', n }));
    await assert.rejects(room.service.handIn(await request(), ANN), tooMany);
    await room.service.handIn(await request(), BOB);
    room.time.ms = BEGIN + 24 * 3600_000;
    const later = { expires: new Date(BEGIN + 25 * 3600_000) };
    await room.service.handIn(await request({ name: 'tomorrow', ...later }), ANN);
  });

  test('those for one repository that wait, of several people', async () => {
    await using room = await openRoom();
    await fill(room, forRepositoryWaiting, (n) => ({
      requester: `user u${n}`,
      state: 'requested',
      n,
    }));
    await assert.rejects(room.service.handIn(await request(), ANN), tooMany);
    await room.service.handIn(await request({ repository: 'registry.example/other' }), ANN);
    // With an approver's signature under it, it is none of those that wait.
    await room.service.handIn(await approved(await request({ name: 'approved' })), ANN);
  });
});

/** Rows as they are after so many requests. */
async function fill(
  room: RoomUnderTest,
  count: number,
  of: (n: number) => { readonly requester: string; readonly state: string; readonly n: number },
): Promise<void> {
  const { id } = await room.service.handIn(await request({ name: 'first' }), BOB);
  const { db } = room.tables;
  const row = await db
    .selectFrom('exceptions')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  await db.deleteFrom('exceptions').execute();
  const rows = Array.from({ length: count }, (_, at) => {
    const { n, ...change } = of(at);
    return { ...row, ...change, id: `sha256:${String(n).padStart(64, '0')}` };
  });
  for (let at = 0; at < rows.length; at += 100) {
    await db
      .insertInto('exceptions')
      .values(rows.slice(at, at + 100))
      .execute();
  }
}

test('exceptions are listed by what became of them, in pages', async () => {
  await using room = await openRoom();
  const made: string[] = [];
  for (let n = 0; n < 5; n++) {
    room.time.ms = BEGIN + n;
    const { id } = await room.service.handIn(await approved(await request({ name: `n${n}` })), BOB);
    made.unshift(id);
  }
  await room.service.revoke(made[0] ?? '', ANN, 'not needed');
  const listed: string[] = [];
  let before: string | null | undefined;
  while (before !== null) {
    const page = await room.service.list({ limit: 2, ...(before === undefined ? {} : { before }) });
    listed.push(...page.exceptions.map(({ id }) => id));
    before = page.next;
  }
  assert.deepEqual(listed, made);
  const of = async (state: 'requested' | 'in-force' | 'expired' | 'revoked') =>
    (await room.service.list({ state })).exceptions.length;
  assert.deepEqual([await of('in-force'), await of('revoked'), await of('expired')], [4, 1, 0]);
  room.time.ms = BEGIN + 3600_000;
  assert.deepEqual([await of('in-force'), await of('revoked'), await of('expired')], [0, 1, 4]);
});
