import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import { streamConfigOf } from '../../src/wiring/streams.ts';
import { ENVIRONMENT, FULL } from './full.ts';

test('streams are read with what holds where nothing is said', () => {
  const { config } = parseConfig(Buffer.from(FULL), '/etc/bulla/bulla.yaml', ENVIRONMENT);
  const [siem, onCall, local, own] = (config?.streams ?? []).map(streamConfigOf);
  assert.deepEqual(siem, {
    name: 'siem',
    url: new URL('https://siem.example/in'),
    format: 'ecs',
    template: null,
    headers: { Authorization: ENVIRONMENT.SIEM_TOKEN },
    signingKeys: [
      Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64'),
      Buffer.from(ENVIRONMENT.OLD_SIGNING),
    ],
    filter: {
      effects: null,
      policies: null,
      repositories: null,
      namespaces: null,
      surfaces: null,
      acts: null,
    },
    batch: 500,
    timeoutMs: 30_000,
    retryForMs: 12 * 3600_000,
    caFile: '/etc/bulla/siem-ca.pem',
    privateAddresses: false,
    from: 'beginning',
    priority: null,
  });
  assert.equal(onCall?.url.href, ENVIRONMENT.SLACK_URL);
  assert.deepEqual([onCall?.batch, onCall?.priority, onCall?.from], [1, 2, 'end']);
  assert.deepEqual(onCall?.filter.acts, ['exception.*', 'break-glass.*']);
  assert.deepEqual([local?.batch, local?.privateAddresses, local?.format], [100, true, 'json']);
  // Nobody is called for every pass because nobody thought of a filter.
  assert.deepEqual([own?.filter.effects, own?.filter.acts], [['deny', 'warn'], ['**']]);
  assert.equal(own?.template, '/etc/bulla/alert.json');
});

const ADDRESS = 'url: "https://a.example/"';
const MISTAKES: readonly (readonly [string, string, RegExp])[] = [
  ['no address', '{ name: a }', /one of url and urlEnv/],
  ['two addresses', `{ name: a, ${ADDRESS}, urlEnv: SLACK_URL }`, /one of url and urlEnv/],
  ['plain HTTP to another machine', '{ name: a, url: "http://a.example/" }', /https/],
  [
    'a password in the address',
    '{ name: a, url: "https://me:hunter2@a.example/" }',
    /without user and password/,
  ],
  ['another scheme', '{ name: a, url: "file:///etc/passwd" }', /such as https/],
  ['a name that no cell could have', `{ name: "a/b", ${ADDRESS} }`, /a name of lower-case/],
  ['alerts in batches', `{ name: a, ${ADDRESS}, format: slack, batch: 10 }`, /no batch/],
  ['a template beside another format', `{ name: a, ${ADDRESS}, template: t.json }`, /template/],
  ['format template without one', `{ name: a, ${ADDRESS}, format: template }`, /template/],
  [
    'a signing secret that is too short',
    `{ name: a, ${ADDRESS}, signingEnv: [SHORT_SIGNING] }`,
    /SHORT_SIGNING to hold whsec_/,
  ],
  [
    'three signing secrets',
    `{ name: a, ${ADDRESS}, signingEnv: [NEW_SIGNING, OLD_SIGNING, NEW_SIGNING] }`,
    /at most 2/,
  ],
  ['a header of the request', `{ name: a, ${ADDRESS}, headers: { Host: b } }`, /headers that a/],
  [
    'a header of the signature',
    `{ name: a, ${ADDRESS}, headers: { Webhook-Id: b } }`,
    /headers that a/,
  ],
  [
    'a header with a second line',
    `{ name: a, ${ADDRESS}, headersEnv: { X-A: TWO_LINES } }`,
    /TWO_LINES to hold one line/,
  ],
  ['an empty glob', `{ name: a, ${ADDRESS}, filter: { acts: [""] } }`, /not empty/],
  ['one name twice', `{ name: a, ${ADDRESS} }\n  - { name: a, ${ADDRESS} }`, /a twice/],
];

for (const [name, entry, says] of MISTAKES) {
  test(`${name} is config.invalid, and no secret is in what is said`, () => {
    const text = `streams:\n  - ${entry}\n`;
    const { config, problems } = parseConfig(Buffer.from(text), '/b.yaml', ENVIRONMENT);
    assert.equal(config, null);
    const [first] = problems;
    assert.equal(first?.code, 'config.invalid');
    assert.match(first?.message ?? '', says);
    assert.doesNotMatch(JSON.stringify(problems), /hunter2|c2hvcnQ/);
  });
}
