import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VerifyValue } from '@bulla/server/gatekeeper/answer';
import { GATEKEEPER_CONFIG, type GatekeeperConfig } from '@bulla/server/gatekeeper/config';
import type { ProviderRequest } from '@bulla/server/gatekeeper/parse';
import { createGatekeeper } from '@bulla/server/gatekeeper/service';
import { TrustFault } from '@bulla/trust/fault/fault';
import { askOf, DIGEST, ID, type Told } from './kit.ts';

const FACTS = { id: 'r1', remoteAddress: '10.0.0.1', userAgent: 'Go-http-client/1.1' };
const TAGGED = 'registry.example/app:v1';
const BY_DIGEST = `${TAGGED}@${DIGEST}`;

function request(...keys: readonly string[]): ProviderRequest {
  return { apiVersion: 'externaldata.gatekeeper.sh/v1beta1', keys };
}

function open(
  tell: (reference: string) => Told | Promise<Told>,
  change: Partial<GatekeeperConfig> = {},
) {
  const ask = askOf(({ reference }) => tell(reference));
  const faults: TrustFault[] = [];
  const gatekeeper = createGatekeeper({
    config: { ...GATEKEEPER_CONFIG, ...change },
    ask,
    throughGateway: (reference) => reference.startsWith('gateway.example/'),
    failed: (fault) => faults.push(fault),
  });
  return { gatekeeper, ask, faults };
}

interface VerifyCase {
  readonly name: string;
  readonly key: string;
  readonly told: Told;
  readonly succeeded: boolean;
  readonly code: string;
}

const VERIFIED: readonly VerifyCase[] = [
  { name: 'signed, by digest', key: BY_DIGEST, told: {}, succeeded: true, code: '' },
  {
    name: 'unsigned',
    key: BY_DIGEST,
    told: { outcome: 'deny' },
    succeeded: false,
    code: 'signature.none',
  },
  {
    name: 'unsigned, and without a digest',
    key: TAGGED,
    told: { outcome: 'deny', digest: null },
    succeeded: false,
    code: 'signature.none',
  },
  // Semantics 16: what validates refuses a tag wherever an enforcing policy says pin.
  {
    name: 'signed, by a tag that was not pinned',
    key: TAGGED,
    told: {},
    succeeded: false,
    code: 'admission.tag-unpinned',
  },
  {
    name: 'by a tag that the policy would leave, past the gateway',
    key: TAGGED,
    told: { enforcedTags: 'leave' },
    succeeded: false,
    code: 'admission.tag-left',
  },
  {
    name: 'by a tag that the policy leaves, through the gateway',
    key: 'gateway.example/app:v1',
    told: { enforcedTags: 'leave' },
    succeeded: true,
    code: '',
  },
  {
    name: 'by a tag that the policy pins, through the gateway all the same',
    key: 'gateway.example/app:v1',
    told: {},
    succeeded: false,
    code: 'admission.tag-unpinned',
  },
  {
    name: 'by a tag that only an auditing policy would pin',
    key: TAGGED,
    told: { enforcedTags: null },
    succeeded: true,
    code: '',
  },
];

for (const { name, key, told, succeeded, code } of VERIFIED) {
  test(`an image ${name} has a value that says ${succeeded}`, async () => {
    const { gatekeeper } = open(() => told);
    const { response } = await gatekeeper.verify(request(key), FACTS);
    assert.equal(response.systemError, '');
    const [item] = response.items;
    assert.equal(item?.key, key);
    assert.equal(item?.error, '', 'a refusal is a value, so that templates can word it');
    const value = item?.value as VerifyValue;
    assert.equal(value.succeeded, succeeded);
    assert.equal(value.code, code);
    assert.equal(value.message === '', succeeded);
    assert.equal(value.decision, ID);
  });
}

test('no member of a value is ever null, also of what could not be decided', async () => {
  const { gatekeeper } = open((reference) => {
    if (reference === 'broken') throw new TrustFault('record.unavailable', 'no space');
    return { outcome: 'deny', digest: null };
  });
  const { response } = await gatekeeper.verify(request('broken', 'unsigned', ''), FACTS);
  for (const { value } of response.items) {
    assert.equal((value as VerifyValue).succeeded, false);
    for (const one of Object.values(value)) assert.ok(one !== null && one !== undefined);
  }
  assert.deepEqual(
    response.items.map(({ error }) => error.split(':')[0]),
    ['record.unavailable', '', 'gatekeeper.key-invalid'],
  );
});

test('a defect is an error of its key in words for callers, and told to the server', async () => {
  const { gatekeeper, faults } = open(() => {
    throw new Error('/secret/path is not readable');
  });
  const { response } = await gatekeeper.verify(request('a'), FACTS);
  assert.doesNotMatch(JSON.stringify(response), /secret/);
  assert.deepEqual(
    faults.map(({ code }) => code),
    ['internal.defect'],
  );
});

test('equal keys are asked about once, and answered once, in the order of the first', async () => {
  const { gatekeeper, ask } = open(() => ({}));
  const { response } = await gatekeeper.verify(request('b', 'a', 'b', '[prod]b'), FACTS);
  assert.deepEqual(
    response.items.map(({ key }) => key),
    ['b', 'a', '[prod]b'],
  );
  assert.deepEqual(
    ask.asked.map(({ reference, namespace }) => [reference, namespace]),
    [
      ['b', null],
      ['a', null],
      ['b', 'prod'],
    ],
  );
});

test('a question says that Gatekeeper asks, on the surface admission, without credentials', async () => {
  const { gatekeeper, ask } = open(() => ({}));
  await gatekeeper.verify(request('a'), FACTS);
  const [asked] = ask.asked;
  assert.deepEqual(asked?.actor, { kind: 'system', id: 'gatekeeper', name: 'Gatekeeper' });
  assert.equal(asked?.surface, 'admission');
  assert.equal(asked?.dryRun, false);
  assert.deepEqual(asked?.credentials, []);
  assert.equal(asked?.request, FACTS);
});

test('at the deadline what is decided goes out, and the rest as errors of their keys', async () => {
  const { promise, resolve } = Promise.withResolvers<Told>();
  const { gatekeeper } = open((reference) => (reference === 'slow' ? promise : {}), {
    deadlineMs: 20,
  });
  const slowly = await gatekeeper.verify(request('slow', BY_DIGEST), FACTS);
  assert.deepEqual(
    slowly.response.items.map(({ error }) => error.split(':')[0]),
    ['gatekeeper.timeout', ''],
  );
  assert.equal(Object(slowly.response.items[0]?.value).succeeded, false);
  assert.match(slowly.response.items[0]?.error ?? '', /"slow" in 20 ms/);
  resolve({});
});

test('what was not begun by the deadline is never begun', async () => {
  const { promise, resolve } = Promise.withResolvers<Told>();
  const { gatekeeper, ask } = open(() => promise, { deadlineMs: 20, atOnce: 1 });
  const { response } = await gatekeeper.verify(request('a', 'b'), FACTS);
  assert.equal(response.items.length, 2);
  resolve({});
  await new Promise((done) => setImmediate(done));
  assert.deepEqual(
    ask.asked.map(({ reference }) => reference),
    ['a'],
  );
});

test('more than may wait are told so, and the others are answered', async () => {
  const { gatekeeper } = open(() => ({}), { atOnce: 1, waiting: 1 });
  const { response } = await gatekeeper.verify(request('a', 'b', 'c'), FACTS);
  assert.deepEqual(
    response.items.map(({ error }) => error.split(':')[0]),
    ['', '', 'gatekeeper.busy'],
  );
});

test('500 images are answered in one response', async () => {
  const keys = Array.from({ length: 500 }, (_, at) => `registry.example/app:v${at}@${DIGEST}`);
  const { gatekeeper } = open(() => ({}));
  const { response } = await gatekeeper.verify(request(...keys), FACTS);
  assert.equal(response.items.filter(({ error }) => error === '').length, 500);
});

const MUTATED: readonly {
  readonly name: string;
  readonly key: string;
  readonly told: Told;
  readonly pin?: GatekeeperConfig['pin'];
  readonly value: string;
  readonly error: RegExp;
}[] = [
  { name: 'a tag', key: TAGGED, told: {}, value: BY_DIGEST, error: /^$/ },
  { name: 'what is pinned already', key: BY_DIGEST, told: {}, value: BY_DIGEST, error: /^$/ },
  {
    name: 'a tag, where only the digest is to stay',
    key: 'localhost:5000/app:v1',
    told: {},
    pin: 'digest',
    value: `localhost:5000/app@${DIGEST}`,
    error: /^$/,
  },
  {
    name: 'a name with a port and no tag, where only the digest is to stay',
    key: 'localhost:5000/app',
    told: {},
    pin: 'digest',
    value: `localhost:5000/app@${DIGEST}`,
    error: /^$/,
  },
  {
    name: 'the key of a namespace',
    key: `[prod]${TAGGED}`,
    told: {},
    value: BY_DIGEST,
    error: /^$/,
  },
  {
    name: 'a tag that is to stay',
    key: TAGGED,
    told: { tags: 'leave' },
    value: TAGGED,
    error: /^$/,
  },
  {
    name: 'what is let through without a digest',
    key: TAGGED,
    told: { digest: null },
    value: TAGGED,
    error: /^$/,
  },
  {
    name: 'what is refused',
    key: TAGGED,
    told: { outcome: 'deny' },
    value: '',
    error: /^refused by policy prod: .*no signature .*decision/,
  },
];

for (const { name, key, told, pin, value, error } of MUTATED) {
  test(`a mutator gets for ${name}: ${value === '' ? 'an error' : 'a text'}`, async () => {
    const { gatekeeper } = open(() => told, pin === undefined ? {} : { pin });
    const { response } = await gatekeeper.mutate(request(key), FACTS);
    assert.equal(response.idempotent, true);
    assert.equal(response.items[0]?.value, value);
    assert.match(response.items[0]?.error ?? '', error);
    assert.equal(response.items[0]?.key, key);
  });
}

test('mutating again changes nothing', async () => {
  const { gatekeeper } = open(() => ({}));
  const once = await gatekeeper.mutate(request(TAGGED), FACTS);
  const value = String(once.response.items[0]?.value);
  const again = await gatekeeper.mutate(request(value), FACTS);
  assert.equal(again.response.items[0]?.value, value);
});
