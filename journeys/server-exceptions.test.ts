// An exception from what a policy requires, from the request to the end, and break-glass; at a server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pushImage } from '../demo/image.ts';
import { openRepository } from './artifact.ts';
import {
  assertUnharmed,
  type Owner,
  pullToken,
  type RunningServer,
  signInOwner,
  startUp,
} from './server.ts';
import { makeKey, openStage, type Stage } from './stage.ts';

const REPOSITORY = 'team/app';

function policyText(pubs: Readonly<Record<'release' | 'security' | 'oncall', string>>): string {
  return `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: production }
spec:
  images: [{ glob: "**" }]
  authorities:
    release: { key: { ref: "${pubs.release}" } }
    security: { key: { ref: "${pubs.security}" } }
    oncall: { key: { ref: "${pubs.oncall}" } }
  require: { signed: { of: [release] } }
  exceptions:
    approvers: [security]
    maxDuration: 72h
    maxScope: digest
    breakGlass: { keys: [oncall], maxDuration: 4h }
`;
}

/** A server that refuses an unsigned image, and two people who may ask it for things. */
interface House extends AsyncDisposable {
  readonly server: RunningServer;
  readonly owner: Owner;
  readonly image: string;
  /** Environment by which the command asks as this person. */
  readonly as: (who: 'ann' | 'bob') => Readonly<Record<string, string>>;
  readonly keys: Readonly<Record<'release' | 'security' | 'oncall' | 'dev', string>>;
  /** The status of a pull by tag, as anybody. */
  readonly pull: () => Promise<number>;
}

async function openHouse(stage: Stage): Promise<House> {
  // What fails before the end must not leave the server behind: the test would wait for it.
  await using opened = new AsyncDisposableStack();
  const [release, security, oncall, dev] = [
    await makeKey(stage, 'release'),
    await makeKey(stage, 'security'),
    await makeKey(stage, 'oncall'),
    await makeKey(stage, 'dev'),
  ];
  const pubs = { release: release.pub, security: security.pub, oncall: oncall.pub };
  const policy = await stage.write('policy.yaml', policyText(pubs));
  const server = opened.use(await startUp(stage, { policies: [policy] }));
  const owner = await signInOwner(server);
  const digest = await pushImage(
    await openRepository(`${server.host}/${REPOSITORY}`, server.pushToken),
    'v1',
    'an image that nobody signed',
  );
  const bob = await owner.ask('POST', '/users', { name: 'bob', role: 'admin' });
  const rights = [
    ...['exceptions.read', 'exceptions.request', 'exceptions.manage', 'record.read'],
    'policies.read',
  ];
  const tokenOf = async (user?: string) => {
    const named = user === undefined ? {} : { user };
    const permissions = [...rights, 'decisions.read'];
    const made = await owner.ask('POST', '/tokens', { name: 'exceptions', permissions, ...named });
    assert.equal(made.status, 200, made.text);
    return String(made.json.secret);
  };
  const tokens = { ann: await tokenOf(), bob: await tokenOf(bob.json.user.id) };
  const life = opened.move();
  return {
    server,
    owner,
    image: `${server.registry}/${REPOSITORY}@${digest}`,
    as: (who) => ({ BULLA_SERVER: server.origin, BULLA_TOKEN: tokens[who] }),
    keys: { release: release.key, security: security.key, oncall: oncall.key, dev: dev.key },
    async pull() {
      const headers = await pullToken(server, REPOSITORY);
      return (await fetch(`${server.origin}/v2/${REPOSITORY}/manifests/v1`, { headers })).status;
    },
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  };
}

function requestArgs({ image, keys }: House, file: string): readonly string[] {
  return [
    ...['exception', 'request', image, '--name', 'late-release', '--for-policy', 'production'],
    ...['--clause', 'require', '--identity', 'dev@acme.example', '--reason', 'the signer is down'],
    ...['--control', 'canary only', '--until', '24h', '--key', keys.dev, '--write', file],
  ];
}

async function acts(house: House): Promise<readonly string[]> {
  const { json } = await house.owner.ask('GET', '/record/acts');
  return json.acts.map((one: { readonly act: string }) => one.act).toReversed();
}

test('an exception lets an image in from its approval to its revocation, and the record says so', async () => {
  await using stage = await openStage();
  await using house = await openHouse(stage);
  const [request, approved] = [stage.path('request.json'), stage.path('approved.json')];
  const run = async (who: 'ann' | 'bob', args: readonly string[]) => {
    const done = await stage.bulla(args, house.as(who));
    assert.equal(done.code, 0, done.all);
    return done.all;
  };
  assert.equal(await house.pull(), 403);
  await run('ann', requestArgs(house, request));
  assert.match(await run('ann', ['exception', 'submit', request]), /requested/);
  // A request lets nothing in.
  assert.equal(await house.pull(), 403);

  await run('bob', ['exception', 'fetch', 'late-release', '--write', stage.path('fetched.json')]);
  const approve = [
    ...['exception', 'approve', stage.path('fetched.json'), '--identity', 'security@acme.example'],
    ...['--key', house.keys.security, '--write', approved, '--yes'],
  ];
  await run('bob', approve);
  // Semantics 17: who asked cannot hand in the approval.
  const own = await stage.bulla(['exception', 'submit', approved], house.as('ann'));
  assert.match(own.all, /exception\.self-approved/);
  assert.equal(await house.pull(), 403);
  assert.match(await run('bob', ['exception', 'submit', approved]), /in-force/);
  assert.equal(await house.pull(), 200);

  const listed = JSON.parse(
    await stage.succeeds(['exception', 'list', '-o', 'json'], house.as('ann')),
  );
  const [one] = listed.exceptions;
  assert.deepEqual([one.state, one.name, one.uses], ['in-force', 'late-release', 1]);
  const used = await house.owner.ask('GET', `/decisions?exception=${encodeURIComponent(one.id)}`);
  const [{ id }] = used.json.decisions;
  const list = ['decisions', 'list', '--exception', 'late-release'];
  assert.match(await run('ann', list), new RegExp(id.slice(-8)));
  assert.match(
    (await stage.bulla(list.with(3, 'no-such'), house.as('ann'))).all,
    /exception.unknown/,
  );
  const { text } = await house.owner.ask('GET', `/decisions/${id}/explanation`);
  assert.match(text, /exception late-release .* lifted require of policy production/);

  await run('ann', ['exception', 'revoke', 'late-release', '--reason', 'the signer is back']);
  assert.equal(await house.pull(), 403);
  assert.deepEqual(await acts(house), [
    'exception.requested',
    'exception.approved',
    'exception.revoked',
  ]);
  assert.match(await run('ann', ['record', 'verify']), /ok|pass/i);
  await assertUnharmed(house.server);
});

test('break-glass lets an image in at once, says so loudly, and waits for a review by another', async () => {
  await using stage = await openStage();
  await using house = await openHouse(stage);
  const glass = (key: string, ...more: readonly string[]) => [
    ...['break-glass', house.image, '--for-policy', 'production', '--name', 'outage-12'],
    ...['--identity', 'oncall@acme.example', '--reason', 'checkout is down', '--key', key, '--yes'],
    ...more,
  ];
  // Only the key that the policy keeps for it, and only for so long.
  for (const [args, code] of [
    [glass(house.keys.security), /exception\.approver-unknown/],
    [glass(house.keys.dev), /exception\.approver-unknown/],
    [glass(house.keys.oncall, '--until', '5h'), /exception\.too-long/],
  ] as const) {
    const refused = await stage.bulla(args, house.as('ann'));
    assert.equal(refused.code === 0, false, refused.all);
    assert.match(refused.all, code);
    assert.equal(await house.pull(), 403);
  }
  const broken = await stage.bulla(glass(house.keys.oncall), house.as('ann'));
  assert.equal(broken.code, 0, broken.all);
  assert.match(broken.all, /BREAK-GLASS is recorded/);
  assert.equal(await house.pull(), 200);
  assert.match(house.server.said(), /BREAK-GLASS/);

  const list = await stage.bulla(['exception', 'list', '--open-reviews'], house.as('bob'));
  assert.match(list.all, /outage-12 waits for its review/);
  const review = ['exception', 'review', 'outage-12', '--found', 'It was needed'];
  assert.match((await stage.bulla(review, house.as('bob'))).all, /exception\.state/);
  const revoke = ['exception', 'revoke', 'outage-12', '--reason', 'checkout is up'];
  await stage.succeeds(revoke, house.as('bob'));
  assert.equal(await house.pull(), 403);
  assert.match((await stage.bulla(review, house.as('ann'))).all, /exception\.self-reviewed/);
  assert.match(await stage.succeeds(review, house.as('bob')), /its review is closed/);
  assert.deepEqual(await acts(house), [
    'break-glass.used',
    'break-glass.revoked',
    'break-glass.reviewed',
  ]);
  await assertUnharmed(house.server);
});
