// `kill -9` amid admissions, broken glass, requests for exceptions and rollouts: what was answered is there
// after the next start, what is in force is in the record, and nothing refused is let in.
import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { test } from 'node:test';
import { publicKeyPem } from '@bulla/trust/crypto/public-key';
import type { Signer } from '@bulla/trust/crypto/signer';
import type { BoundClause, ExceptionDocument } from '@bulla/trust/policy/exceptions/document';
import { pod, reviewOf } from '../../packages/server/test/admission/reviews.ts';
import { newSigner } from '../../packages/server/test/exceptions/room.ts';
import { seeded } from '../../packages/server/test/seeded.ts';
import { type AllDoors, openAllDoors } from '../all-doors.ts';
import { handedIn, liftedClause, policiesWithGlass, signDocument } from '../exception-documents.ts';
import { openStage } from '../stage.ts';
import { checkDatabase } from './check.ts';

/** To play a run again: BULLA_CRASH_SEED=… */
const SEED = Number(process.env['BULLA_CRASH_SEED'] ?? randomInt(2 ** 31));
const ROUNDS = 3;
const ANSWERS_MOST = 120;
const HOUR_MS = 3600_000;
const PATH = { 'break-glass': '/break-glass', exception: '/exceptions' } as const;

type Kind = keyof typeof PATH;

/** What was sent, and what of it was answered. */
interface Ledger {
  readonly decisions: Set<string>;
  readonly sent: Map<string, { readonly kind: Kind; readonly document: ExceptionDocument }>;
  readonly answered: Set<string>;
  openedAt: string;
  readonly surprises: string[];
}

interface Load {
  readonly doors: AllDoors;
  readonly signer: Signer;
  readonly clause: BoundClause;
  readonly ledger: Ledger;
  /** Told of each answer. */
  readonly answered: () => void;
}

/** Asks until the server is gone: what is thrown then is no answer. */
async function untilGone(act: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await act();
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      return;
    }
  }
}

async function admit({ doors, ledger, answered }: Load, image: string, allowed: boolean) {
  // Somebody new each time: what passes is durable before the answer then (semantics 18).
  const username = `user-${randomBytes(6).toString('hex')}`;
  const called = await doors.api.call('validate', reviewOf({ object: pod([image]), username }));
  answered();
  if (called.allowed !== allowed) ledger.surprises.push(`${image}: ${called.message}`);
  const [id = ''] = (called.auditAnnotations['decisions'] ?? '').split('=');
  ledger.decisions.add(id);
}

async function handIn({ doors, signer, clause, ledger, answered }: Load, kind: Kind) {
  const image = `${doors.host}/team/other@sha256:${randomBytes(32).toString('hex')}`;
  const document = await signDocument(kind, image, { signer, clause });
  ledger.sent.set(document.id, { kind, document });
  const made = await doors.owner.ask('POST', PATH[kind], handedIn(document));
  answered();
  if (made.status === 200) ledger.answered.add(document.id);
  // So many requests may wait for one repository.
  else if (made.json?.code !== 'exception.too-many') ledger.surprises.push(made.text);
  else ledger.sent.delete(document.id);
}

async function openWindow({ doors, ledger, answered }: Load) {
  const body = { policy: 'observed', owner: 'ann', windowMs: HOUR_MS };
  const made = await doors.owner.ask('POST', '/rollouts', body);
  answered();
  if (made.status === 200) ledger.openedAt = made.json.openedAt;
  else ledger.surprises.push(made.text);
}

/** Works on every door at once, and kills the server with so many answers out. */
async function workUntilKilled(parts: Omit<Load, 'answered'>, answers: number): Promise<void> {
  let left = answers;
  const { doors } = parts;
  const load: Load = {
    ...parts,
    answered() {
      left -= 1;
      if (left === 0) void doors.server.kill();
    },
  };
  const { signed, unsigned } = doors.images;
  await Promise.all([
    untilGone(() => admit(load, signed, true)),
    untilGone(() => admit(load, signed, true)),
    untilGone(() => admit(load, unsigned, false)),
    untilGone(() => handIn(load, 'break-glass')),
    untilGone(() => handIn(load, 'break-glass')),
    untilGone(() => handIn(load, 'exception')),
    untilGone(() => openWindow(load)),
  ]);
  await doors.server.kill();
}

interface Shown {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
}

/** All exceptions, or all acts of the record, through their pages. */
async function all(doors: AllDoors, path: string, member: string) {
  // biome-ignore lint/suspicious/noExplicitAny: rows are looked into as they came
  const rows: any[] = [];
  for (let before = ''; ; ) {
    const { status, text, json } = await doors.owner.ask('GET', `${path}?limit=200${before}`);
    assert.equal(status, 200, text);
    rows.push(...json[member]);
    if (json.next === null) return rows;
    before = `&before=${encodeURIComponent(String(json.next))}`;
  }
}

async function check(doors: AllDoors, ledger: Ledger): Promise<void> {
  const { owner, images } = doors;
  assert.deepEqual(ledger.surprises, []);
  const decided = await all(doors, '/decisions', 'decisions');
  const known = new Set(decided.map(({ id }) => id));
  for (const id of ledger.decisions) assert.ok(known.has(id), `decision ${id} is there`);
  const acts: readonly { readonly act: string; readonly subject: string }[] = await all(
    doors,
    '/record/acts',
    'acts',
  );
  const shown: readonly Shown[] = await all(doors, '/exceptions', 'exceptions');
  for (const id of ledger.answered) {
    assert.ok(
      shown.some((one) => one.id === id),
      `${ledger.sent.get(id)?.kind} ${id} is there`,
    );
  }
  for (const { id, kind } of shown) {
    // Semantics 17: what is in force is in the record.
    const wanted = kind === 'break-glass' ? 'break-glass.used' : 'exception.requested';
    assert.ok(
      acts.some(({ act, subject }) => act === wanted && subject === id),
      `${id} is recorded`,
    );
  }
  for (const [id, { kind, document }] of ledger.sent) {
    if (ledger.answered.has(id)) continue;
    // Whoever had no answer hands it in again, and is heard.
    const again = await owner.ask('POST', PATH[kind], handedIn(document));
    assert.ok(again.status === 200 || again.json.code === 'exception.too-many', again.text);
    if (again.status === 200) ledger.answered.add(id);
    else ledger.sent.delete(id);
  }
  const rollouts = (await owner.ask('GET', '/rollouts')).json.rollouts;
  assert.ok(ledger.openedAt === '' || rollouts[0].openedAt >= ledger.openedAt, 'the window');
  const opened = acts.filter(({ act }) => act === 'rollout.opened').length;
  assert.ok(rollouts.length === 0 || opened > 0, 'the window is recorded');
  for (const [image, allowed] of [
    [images.signed, true],
    [images.unsigned, false],
  ] as const) {
    const called = await doors.api.call('validate', reviewOf({ object: pod([image]) }));
    assert.equal(called.allowed, allowed, called.message);
  }
  assert.equal((await owner.ask('GET', '/record/verify')).json.outcome, 'pass');
}

test(`kill -9 at the doors loses nothing answered and lets in nothing refused, seed ${SEED}`, async (t) => {
  const random = seeded(SEED);
  await using stage = await openStage();
  const signer = await newSigner();
  const oncall = await stage.write('oncall.pub', publicKeyPem(signer.publicKey));
  const policies = policiesWithGlass(stage.path('release.pub'), oncall);
  await using doors = await openAllDoors({ stage, policies });
  const clause = await liftedClause(doors.owner);
  const ledger: Ledger = {
    decisions: new Set(),
    sent: new Map(),
    answered: new Set(),
    openedAt: '',
    surprises: [],
  };
  for (let round = 0; round < ROUNDS; round++) {
    const answers = 1 + Math.floor(random() * ANSWERS_MOST);
    await t.test(`after ${answers} answers`, async () => {
      await workUntilKilled({ doors, signer, clause, ledger }, answers);
      checkDatabase(doors.server.data);
      await doors.restart();
      await check(doors, ledger);
    });
  }
});
