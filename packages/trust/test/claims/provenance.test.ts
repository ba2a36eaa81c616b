import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { PREDICATE_TYPES } from '@bulla/trust/claims/predicate-type';
import { readProvenance } from '@bulla/trust/claims/provenance';
import { parseStatement, type Statement } from '@bulla/trust/claims/statement';
import { TrustFault } from '@bulla/trust/fault/fault';
import fc from 'fast-check';

function attestedAs(predicateType: string, predicate: unknown): Statement {
  const subject = [{ digest: { sha256: '0'.repeat(64) } }];
  const document = { _type: 'https://in-toto.io/Statement/v1', subject, predicateType, predicate };
  return parseStatement(utf8(JSON.stringify(document)), 'the statement');
}

const BUILDER = 'https://builder.example/b';
const v02 = (more: object) =>
  attestedAs(PREDICATE_TYPES.slsaprovenance02, { builder: { id: BUILDER }, ...more });
const v1 = (buildDefinition: object) =>
  attestedAs(PREDICATE_TYPES.slsaprovenance1, {
    buildDefinition,
    runDetails: { builder: { id: BUILDER } },
  });
const APP = 'https://github.com/acme/app';
const configured = (uri: string) => v02({ invocation: { configSource: { uri } } });
const materials = (...uris: string[]) => v02({ materials: uris.map((uri) => ({ uri })) });
const main = { repository: APP, ref: 'refs/heads/main' };

const ROWS: readonly {
  readonly name: string;
  readonly statement: Statement;
  readonly source: object | null;
}[] = [
  {
    name: '0.2 by its config source',
    statement: configured(`git+${APP}@refs/heads/main`),
    source: main,
  },
  {
    name: '0.2 without git+',
    statement: configured(`${APP}.git@refs/heads/main`),
    source: main,
  },
  {
    name: '0.2 with a fragment',
    statement: configured(`${APP}.git#refs/heads/main`),
    source: main,
  },
  { name: '0.2 without a reference', statement: configured(APP), source: { ...main, ref: null } },
  {
    name: 'a user before the host',
    statement: configured('git+ssh://git@github.com/acme/app.git@v1'),
    source: { repository: 'ssh://git@github.com/acme/app', ref: 'v1' },
  },
  {
    name: 'an @ in a name is no end of it where nothing says so',
    statement: configured('https://host.example/acme@evil/app'),
    source: { repository: 'https://host.example/acme@evil/app', ref: null },
  },
  {
    name: '0.2 by its only git material',
    statement: materials(`git+${APP}@refs/heads/main`, 'pkg:docker/debian@12'),
    source: main,
  },
  {
    name: '0.2 with several git materials and none marked',
    statement: materials(`git+${APP}@refs/heads/main`, 'git+https://github.com/acme/tools@v1'),
    source: null,
  },
  {
    name: '0.2 whose material is another repository than its config source',
    statement: v02({
      invocation: { configSource: { uri: 'git+https://github.com/evil/app@refs/heads/main' } },
      materials: [{ uri: `git+${APP}@refs/heads/main` }],
    }),
    source: { repository: 'https://github.com/evil/app', ref: 'refs/heads/main' },
  },
  {
    name: '1.0 by GitHub’s workflow',
    statement: v1({
      externalParameters: { workflow: { repository: APP, ref: 'refs/heads/main' } },
    }),
    source: main,
  },
  {
    name: '1.0 by a source',
    statement: v1({ externalParameters: { source: `git+${APP}@refs/heads/main` } }),
    source: main,
  },
  {
    name: '1.0 by a source that is a descriptor',
    statement: v1({ externalParameters: { source: { uri: `git+${APP}@refs/heads/main` } } }),
    source: main,
  },
  {
    name: '1.0 by BuildKit’s config source',
    statement: v1({ externalParameters: { configSource: { uri: `${APP}.git#refs/heads/main` } } }),
    source: main,
  },
  {
    name: '1.0 by its only dependency',
    statement: v1({ resolvedDependencies: [{ uri: `git+${APP}@refs/heads/main` }] }),
    source: main,
  },
  {
    name: '1.0 whose dependency is another repository than its workflow',
    statement: v1({
      externalParameters: { workflow: { repository: 'https://github.com/evil/app' } },
      resolvedDependencies: [{ uri: `git+${APP}@refs/heads/main` }],
    }),
    source: { repository: 'https://github.com/evil/app', ref: null },
  },
  { name: '1.0 of nothing', statement: v1({}), source: null },
];

for (const { name, statement, source } of ROWS) {
  test(`a provenance is read: ${name}`, () => {
    assert.deepEqual(readProvenance(statement), { builder: BUILDER, source });
  });
}

for (const name of ['slsaprovenance', 'slsaprovenance1'] as const) {
  test(`the provenance that cosign’s fixture attests is read: ${name}`, async () => {
    const path = new URL(`../../../../vectors/cosign/predicates/${name}.json`, import.meta.url);
    const predicate: unknown = JSON.parse(await readFile(path, 'utf8'));
    const { builder } = readProvenance(attestedAs(PREDICATE_TYPES[name], predicate));
    assert.match(builder, /^https:/);
  });
}

const isMalformed = (error: unknown) =>
  error instanceof TrustFault && error.code === 'predicate.malformed';

for (const { name, statement } of [
  { name: 'another type', statement: attestedAs('https://slsa.dev/provenance/v0.1', {}) },
  { name: 'no builder', statement: attestedAs(PREDICATE_TYPES.slsaprovenance02, {}) },
  { name: 'no predicate', statement: attestedAs(PREDICATE_TYPES.slsaprovenance1, null) },
  { name: 'materials that are none', statement: v02({ materials: 'git' }) },
]) {
  test(`a provenance is refused: ${name}`, () => {
    assert.throws(() => readProvenance(statement), isMalformed);
  });
}

test('no provenance throws anything but TrustFault', () => {
  const types = fc.constantFrom(PREDICATE_TYPES.slsaprovenance02, PREDICATE_TYPES.slsaprovenance1);
  fc.assert(
    fc.property(fc.jsonValue(), types, (predicate, type) => {
      try {
        readProvenance(attestedAs(type, predicate));
      } catch (error) {
        assert.ok(error instanceof TrustFault, String(error));
      }
    }),
  );
});
