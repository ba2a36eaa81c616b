import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { plainValue } from '@bulla/trust/bytes/yaml/node';
import { parseYamlDocuments } from '@bulla/trust/bytes/yaml/parse';
import fc from 'fast-check';
import { Compile } from 'typebox/schema';
import { CONFIG_DEFAULTS } from '../../src/config/config.ts';
import { defaultConfig, parseConfig } from '../../src/config/parse.ts';
import { ENVIRONMENT, FULL } from './full.ts';
import { MISTAKES } from './mistakes.ts';

const FILE = '/etc/bulla/bulla.yaml';
const SCHEMA = new URL('../../../../docs/schemas/bulla-config.schema.json', import.meta.url);
const schema = Compile(JSON.parse(readFileSync(SCHEMA, 'utf8')));

function parse(text: string) {
  return parseConfig(Buffer.from(text), FILE, ENVIRONMENT);
}

/** Without the null prototypes of what was read. */
function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function plain(text: string): unknown {
  const [document] = parseYamlDocuments(Buffer.from(text), FILE, 'config.invalid').documents;
  return document === undefined ? {} : plainValue(document);
}

test('an empty file is all defaults, and so is one of comments', () => {
  for (const text of ['', '# nothing\n', '{}']) {
    const { config, problems } = parse(text);
    assert.deepEqual(problems, []);
    assert.deepEqual(asJson(config), { ...CONFIG_DEFAULTS, data: '/etc/bulla/bulla-data' });
  }
});

test('every default is safe', () => {
  const { listen, gateway, telemetry, metrics, policies } = defaultConfig('/');
  assert.ok(listen.every(({ url }) => new URL(url).hostname === '127.0.0.1'));
  assert.equal(gateway.anonymousPull, 'loopback');
  assert.deepEqual([gateway.upstreams, policies], [[], []]);
  assert.deepEqual([telemetry, metrics.token], [null, null]);
});

test('every member is read, paths from the folder of the file', () => {
  const { config, problems } = parse(FULL);
  assert.deepEqual(problems, []);
  assert.ok(config !== null);
  const { storage, gateway, registries, hooks, metrics, streams, ...rest } = config;
  assert.equal(registries.length + hooks.senders.length, 5);
  assert.equal(streams.length, 4);
  assert.deepEqual(asJson(rest), {
    data: '/var/lib/bulla',
    listen: [
      { url: 'http://127.0.0.1:5000', tls: null },
      {
        url: 'https://0.0.0.0:443',
        tls: {
          certificate: '/etc/bulla/tls/cert.pem',
          key: '/etc/bulla/tls/key.pem',
          clientCa: '/etc/ca.pem',
          clientAuth: 'optional',
        },
      },
    ],
    origin: 'https://bulla.example',
    policies: ['/etc/bulla/policies/prod.yaml', '/etc/bulla/policies'],
    trustRoots: { acme: { file: '/etc/bulla/roots/acme.json' } },
    environment: 'production',
    aliases: [
      { from: 'mirror.example/hub', to: 'docker.io' },
      { from: 'old.example', to: 'new.example' },
    ],
    record: { headEveryMs: 300_000, retentionMs: null, groupMs: 5 },
    access: { sessionMs: 3600_000, sessionIdleMs: 1800_000, tokenMaxMs: 90 * 86_400_000 },
    limits: {
      requestsPerSecond: 50,
      burst: 100,
      connections: 10,
      connectionsPerCaller: 5,
      headerBytes: 16_384,
      drainMs: 30_000,
    },
    kubernetes: {
      kubeconfig: '/etc/bulla/kubeconfig',
      context: 'prod',
      namespace: 'trust',
      policies: false,
      clusterImagePolicies: true,
      notReadyAfterMs: 600_000,
      certificates: {
        folder: '/etc/bulla/tls/webhook',
        service: 'bulla',
        names: ['hooks.example', '10.0.0.1'],
        secret: 'bulla-webhook-tls',
        keyType: 'rsa',
        mutating: ['bulla'],
        validating: ['bulla'],
        providers: ['bulla'],
        checkEveryMs: 60_000,
      },
    },
    gatekeeper: {
      listen: 'https://0.0.0.0:8444',
      certificate: '/etc/bulla/tls/gatekeeper.pem',
      key: '/etc/bulla/tls/gatekeeper.key',
      clientCa: '/etc/gatekeeper/ca.crt',
      reference: 'digest',
      deadlineMs: 1500,
    },
    admission: {
      listen: 'https://0.0.0.0:8443',
      certificate: '/etc/bulla/tls/webhook/tls.crt',
      key: '/etc/bulla/tls/webhook/tls.key',
      clientCa: '/etc/api-server/ca.crt',
      cluster: 'prod-eu',
      pin: 'digest',
      nodesPullThrough: true,
      namespaces: ['team-*', 'shop'],
      exempt: [
        { namespace: 'kube-system', images: null },
        { namespace: 'bulla-system', images: ['registry.example/bulla/**'] },
      ],
      kinds: [
        { group: 'argoproj.io', kind: 'Rollout', podTemplates: ['spec.template'], images: [] },
        { group: 'tekton.dev', kind: 'Task', podTemplates: [], images: ['spec.steps[*].image'] },
      ],
      marginMs: 1000,
      maxBodyBytes: 16 << 20,
      denials: 'policy-controller',
    },
    log: { level: 'warn' },
    telemetry: { otlpEndpoint: 'http://127.0.0.1:4318' },
    only: ['gateway', 'api'],
  });
  assert.ok(typeof storage.tables === 'object');
  assert.equal(storage.tables.postgres.url.reveal(), ENVIRONMENT.PG_URL);
  assert.equal(storage.tables.postgres.poolSize, 20);
  assert.equal(storage.objects.folder, '/mnt/blobs');
  assert.equal(metrics.token?.reveal(), ENVIRONMENT.SCRAPE_TOKEN);
  const { upstreams, ...own } = gateway;
  assert.deepEqual(asJson(own), {
    name: 'bulla.example',
    anonymousPull: false,
    tagFreshnessMs: 0,
    cacheMaxAgeMs: 900_000,
    maxBlobBytes: 8 * 2 ** 30,
    maxManifestBytes: 4 << 20,
    graceMs: 2 * 86_400_000,
    untaggedMs: 30 * 86_400_000,
    cachedMs: 14 * 86_400_000,
  });
  const [hub, local] = upstreams;
  assert.equal(hub?.registry, 'docker.io');
  assert.equal(hub?.ca, '/etc/bulla/hub-ca.pem');
  assert.equal(hub?.credentials?.password.reveal(), ENVIRONMENT.HUB_PASSWORD);
  assert.deepEqual(hub?.users, ['ci', 'alice']);
  assert.deepEqual(
    [local?.users, local?.plainHttp, local?.privateAddresses, local?.timeoutMs],
    ['anyone', true, true, 15_000],
  );
});

test('registries and hooks are read with their canonical hosts', () => {
  const { config } = parse(FULL);
  const [named, local] = config?.registries ?? [];
  assert.equal(named?.registry, 'registry.example');
  assert.equal(named?.ca, '/etc/bulla/registry-ca.pem');
  assert.equal(named?.credentials?.username.reveal(), ENVIRONMENT.HUB_USER);
  assert.deepEqual([named?.ownHosts, named?.timeoutMs], [['auth.example'], 5000]);
  assert.deepEqual(
    [local?.registry, local?.credentials, local?.privateAddresses],
    ['10.0.0.7:5000', null, true],
  );
  assert.deepEqual(
    config?.hooks.senders.map(({ kind, registry }) => [kind, registry]),
    [
      ['harbor', 'registry.example'],
      ['zot', '10.0.0.7:5000'],
      ['distribution', 'other.example'],
    ],
  );
  assert.deepEqual(config?.hooks.namespaces, ['prod']);
});

test('no secret is shown by a configuration that is printed', () => {
  const { config } = parse(FULL);
  const shown = `${JSON.stringify(config)} ${inspect(config, { depth: 20 })}`;
  for (const secret of ['s3cret', 'hunter2', ENVIRONMENT.SCRAPE_TOKEN]) {
    assert.ok(!shown.includes(secret), secret);
  }
  assert.match(shown, /\[secret of HUB_PASSWORD\]/);
});

for (const { name, text, code = 'config.invalid', at, says, schema: published } of MISTAKES) {
  test(`${name} is ${code} at ${at}`, () => {
    const { config, problems } = parse(text);
    assert.equal(config, null);
    const [first] = problems;
    assert.ok(first !== undefined);
    assert.deepEqual(
      [first.code, `${first.place.line}:${first.place.column}`],
      [code, at],
      first.message,
    );
    assert.match(first.message, says);
    assert.doesNotMatch(JSON.stringify(problems), /hunter2|s3cret|:open@/);
    if (published === 'refuses') assert.equal(schema.Check(plain(text)), false);
  });
}

test('the published schema admits what is read, and has a member for each', () => {
  for (const text of ['', FULL]) assert.equal(schema.Check(plain(text)), true);
  const members = JSON.parse(readFileSync(SCHEMA, 'utf8')).properties;
  assert.deepEqual(Object.keys(members), Object.keys(CONFIG_DEFAULTS));
});

test('every mistake of a file shows in one run', () => {
  const { problems } = parse('data: 1\nlog: { level: loud }\nonly: [x]\n');
  assert.deepEqual(
    problems.map(({ place }) => place.line),
    [1, 2, 3],
  );
});

test('no input throws', () => {
  const lines = FULL.split('\n');
  fc.assert(
    fc.property(fc.subarray(lines), fc.string(), fc.nat(FULL.length), (some, noise, at) => {
      parse(some.join('\n'));
      parse(FULL.slice(0, at) + noise + FULL.slice(at));
    }),
    { numRuns: 200 },
  );
});
