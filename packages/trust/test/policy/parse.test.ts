import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import test from 'node:test';
import { problemLine } from '@bulla/trust/bytes/yaml/problem';
import { parsePolicies } from '@bulla/trust/policy/parse';
import fc from 'fast-check';
import { ACCEPTED, FULL, refusedText, SMALL, UNSUPPORTED } from './policy-texts.ts';
import { REFUSED_CONDITIONS } from './refused-conditions.ts';
import { REFUSED_EXCEPTIONS, WITH_EXCEPTIONS } from './refused-exceptions.ts';
import { REFUSED_SHAPES } from './refused-policies.ts';

function parse(text: string | Uint8Array) {
  return parsePolicies(Buffer.from(text), 'policy.yaml');
}

for (const { name, text } of ACCEPTED) {
  test(`a policy of ${name} is read`, () => {
    const { policies, problems } = parse(text);
    assert.deepEqual(problems.filter(({ severity }) => severity === 'error').map(problemLine), []);
    assert.equal(policies.length, text.split('\n---\n').length);
  });
}

for (const refused of [...REFUSED_SHAPES, ...REFUSED_CONDITIONS, ...REFUSED_EXCEPTIONS]) {
  test(`a policy of ${refused.name} is refused at its place`, () => {
    const { policies, problems } = parse(refusedText(refused));
    const [first] = problems.filter(({ severity }) => severity === 'error');
    assert.ok(first !== undefined);
    assert.equal(first.code, refused.code, problemLine(first));
    assert.equal(`${first.place.line}:${first.place.column}`, refused.at, problemLine(first));
    assert.deepEqual(policies, []);
  });
}

test('a policy is read with its defaults', () => {
  const [policy] = parse(SMALL).policies;
  assert.ok(policy !== undefined);
  assert.deepEqual(JSON.parse(JSON.stringify(policy)), {
    name: 'small',
    description: null,
    images: [{ glob: '**' }],
    exclude: [],
    surfaces: ['pull', 'admission', 'gate', 'node', 'watch'],
    namespaces: null,
    environments: null,
    mode: 'enforce',
    onInconclusive: 'deny',
    tags: 'pin',
    tree: 'any',
    rollback: 'allow',
    trustRoots: {},
    authorities: {
      dev: {
        kind: 'key',
        ref: 'dev.pub',
        pem: null,
        trustRoot: null,
        proof: { log: true, sct: true, timestamp: true },
      },
    },
    require: { kind: 'signed', of: ['dev'], atLeast: 1, annotations: {} },
    exceptions: null,
  });
});

test('exceptions are read with the keys that break the glass', () => {
  const { policies, problems } = parse(WITH_EXCEPTIONS);
  // An authority that approves or breaks the glass is not unused.
  assert.deepEqual(
    problems.map(({ code, place }) => [code, place.path]),
    [['policy.authority-unused', 'spec.authorities.workflow']],
  );
  assert.deepEqual(policies[0]?.exceptions, {
    approvers: ['security'],
    maxDurationMs: 72 * 3_600_000,
    maxScope: 'digest',
    breakGlass: { keys: ['oncall'], maxDurationMs: 4 * 3_600_000 },
  });
  const short = parse(
    WITH_EXCEPTIONS.replace(', maxDuration: 4h', '').replace('maxScope: digest, ', ''),
  );
  assert.deepEqual(short.policies[0]?.exceptions, policies[0]?.exceptions);
});

test('exceptions of over thirty days are remarked on, at their place, and taken', () => {
  for (const [text, codes] of [
    ['720h', []],
    ['721h', ['policy.exceptions-long spec.exceptions.maxDuration']],
    ['365d', ['policy.exceptions-long spec.exceptions.maxDuration']],
  ] as const) {
    const { policies, problems } = parse(WITH_EXCEPTIONS.replace('72h', text));
    const found = problems.map(({ code, place }) => `${code} ${place.path}`);
    assert.deepEqual(
      found.filter((one) => one.startsWith('policy.exceptions')),
      codes,
    );
    assert.equal(policies.length, 1);
  }
});

test('a policy is read with every field that it has', () => {
  const [policy] = parse(FULL).policies;
  assert.ok(policy !== undefined);
  const { authorities, require, ...rest } = JSON.parse(JSON.stringify(policy));
  assert.deepEqual(rest, {
    name: 'production',
    description: 'What production runs',
    images: [
      { glob: 'registry.example/prod/**' },
      { exact: 'docker.io/library/nginx' },
      { regex: 'registry\\.example/(a|b)' },
    ],
    exclude: [{ glob: 'registry.example/prod/scratch/*' }],
    surfaces: ['pull', 'admission', 'gate'],
    namespaces: [{ glob: 'prod-*' }],
    environments: ['eu', 'us'],
    mode: 'warn',
    onInconclusive: { lastKnownGood: { maxAgeMs: 900_000 } },
    tags: 'refuse',
    tree: 'leaf',
    rollback: 'refuse',
    trustRoots: { acme: { file: 'roots/acme.json' } },
    exceptions: {
      approvers: ['vendor'],
      maxDurationMs: 259_200_000,
      maxScope: 'repository',
      breakGlass: null,
    },
  });
  assert.deepEqual(Object.keys(authorities), ['release', 'qa', 'scan', 'vendor']);
  assert.deepEqual(authorities.release, {
    kind: 'keyless',
    issuer: { exact: 'https://token.actions.githubusercontent.com' },
    subject: { glob: 'https://github.com/acme/*/.github/workflows/release.yml@refs/tags/v*' },
    claims: { githubWorkflowTrigger: 'push' },
    trustRoot: 'acme',
    proof: { log: false, sct: true, timestamp: true },
  });
  assert.deepEqual(authorities.scan, {
    kind: 'key',
    ref: 'keys/scan.pub',
    pem: null,
    trustRoot: 'public-good',
    proof: { log: true, sct: true, timestamp: false },
  });
  const plain = {
    kind: 'attested',
    atLeast: 1,
    where: null,
    maxAgeMs: null,
    time: 'trusted',
    vulnerabilities: null,
    vexBy: [],
    provenance: null,
    sbom: null,
  };
  const signed = { kind: 'signed', atLeast: 1, annotations: {} };
  assert.deepEqual(require, {
    kind: 'all',
    parts: [
      { ...signed, atLeast: 2, of: ['release', 'qa', 'scan'], annotations: { env: 'prod' } },
      {
        kind: 'any',
        parts: [
          { ...signed, of: ['vendor'] },
          { kind: 'atLeast', atLeast: 1, parts: [{ ...signed, of: ['qa'] }] },
        ],
      },
      {
        ...plain,
        type: 'slsaprovenance1',
        by: ['release'],
        where: "predicate.buildDefinition.buildType != ''",
        provenance: {
          builder: { glob: 'https://github.com/acme/**' },
          sourceRepository: null,
          branch: { exact: 'refs/heads/main' },
        },
      },
      {
        ...plain,
        type: 'vuln',
        by: ['scan', 'qa'],
        atLeast: 2,
        maxAgeMs: 604_800_000,
        time: 'claimed',
        vulnerabilities: { critical: 0, high: 3 },
        vexBy: ['vendor'],
      },
      { ...plain, type: 'cyclonedx', by: ['scan'], sbom: { minPackages: 10 } },
      { ...plain, type: 'https://acme.example/reviewed/v1', by: ['qa'] },
    ],
  });
});

test('a kind of authority that is not supported is kept, with a warning each', () => {
  const { policies, problems } = parse(UNSUPPORTED);
  const { legacy, windows, hosts } = policies[0]?.authorities ?? {};
  assert.deepEqual([legacy?.kind, windows?.kind, hosts?.kind], ['notary', 'x509', 'openpgp']);
  assert.deepEqual(JSON.parse(JSON.stringify(hosts)).value, { keys: 'keys/release.asc' });
  assert.deepEqual(
    problems.map(({ severity, code }) => `${severity} ${code}`),
    Array(3).fill('warning policy.authority-unsupported'),
  );
});

test('an authority that nothing names is a warning, and one that answers by VEX is named', () => {
  const unused = parse(SMALL.replace('dev: {', 'idle: { key: { ref: x } }, dev: {'));
  assert.equal(unused.policies.length, 1);
  assert.deepEqual(
    unused.problems.map(({ code, place }) => `${code} ${place.path}`),
    ['policy.authority-unused spec.authorities.idle'],
  );
  assert.deepEqual(parse(FULL).problems, []);
});

test('every mistake of a file is reported in one run, with the word that was meant', () => {
  const { policies, problems } = parse(
    FULL.replace('exclude:', 'exlude:')
      .replace('mode: warn', 'mode: warm')
      .replace('[vendor] }\n          - at', '[vendors] }\n          - at')
      .replace('maxAge: 7d', 'maxAge: week'),
  );
  assert.deepEqual(policies, []);
  assert.deepEqual(
    problems.map(({ place }) => place.line),
    [12, 16, 42, 57],
  );
  const [exclude, mode, vendor] = problems.map(({ message }) => message);
  assert.match(exclude ?? '', /did you mean "exclude"/);
  assert.match(mode ?? '', /did you mean "warn"/);
  assert.match(vendor ?? '', /did you mean "vendor"/);
});

test('a file without a policy is refused', () => {
  for (const text of ['', '# nothing\n', '---\n---\n']) {
    const { problems } = parse(text);
    assert.deepEqual(
      problems.map(({ code }) => code),
      ['policy.malformed'],
    );
  }
});

test('one wrong document does not hide that the others are there', () => {
  const { policies, problems } = parse(`${SMALL}---\nkind: Pod\n`);
  assert.deepEqual(
    policies.map(({ name }) => name),
    ['small'],
  );
  assert.ok(problems.some(({ severity }) => severity === 'error'));
});

test('two policies of one name are refused', () => {
  const { problems } = parse(`${SMALL}---\n${SMALL}`);
  assert.deepEqual(
    problems.map(({ code, place }) => `${code} ${place.line}`),
    ['policy.name-repeated 9'],
  );
});

test('a key may stand in the policy, and a private one is refused without being shown', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const withPem = (pem: string) =>
    parse(SMALL.replace('ref: dev.pub', `pem: ${JSON.stringify(pem)}`));
  const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
  const [policy] = withPem(pem).policies;
  assert.equal(policy?.authorities['dev']?.kind === 'key' && policy.authorities['dev'].pem, pem);

  const secret = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  const refused = withPem(secret).problems;
  assert.deepEqual(
    refused.map(({ code }) => code),
    ['crypto.key-malformed'],
  );
  assert.doesNotMatch(refused.map(problemLine).join(), /MIG|BEGIN/);

  assert.deepEqual(
    withPem(pem + pem).problems.map(({ code }) => code),
    ['policy.file'],
  );
});

const word = fc.constantFrom(
  ...[
    'spec',
    'images',
    'glob',
    'exact',
    'regex',
    'require',
    'all',
    'any',
    'of',
    'signed',
    'atLeast',
  ],
  ...['attested', 'type', 'by', 'vuln', 'authorities', 'key', 'ref', 'keyless', 'dev', '__proto__'],
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.oneof(word, fc.integer({ min: -1, max: 3 }), fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(word, tie('value'), { maxKeys: 4 }),
  ),
}));

test('no input throws, and no policy is given that has an error', () => {
  fc.assert(
    fc.property(
      value,
      fc.constantFrom(...['images', 'authorities', 'require', 'metadata']),
      (part, key) => {
        const base = {
          apiVersion: 'bulla.dev/v1',
          kind: 'TrustPolicy',
          metadata: { name: 'x' },
          spec: {
            images: [{ glob: '**' }],
            authorities: { dev: { key: { ref: 'dev.pub' } } },
            require: { signed: { of: ['dev'] } },
          },
        };
        const document =
          key === 'metadata'
            ? { ...base, [key]: part }
            : { ...base, spec: { ...base.spec, [key]: part } };
        const { policies, problems } = parse(JSON.stringify(document));
        assert.equal(
          policies.length,
          problems.some(({ severity }) => severity === 'error') ? 0 : 1,
        );
      },
    ),
    { numRuns: 1000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => parse(bytes).policies.length === 0),
  );
});
