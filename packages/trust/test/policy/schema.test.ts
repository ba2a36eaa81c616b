import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import test from 'node:test';
import { plainValue } from '@bulla/trust/bytes/yaml/node';
import { parseYamlDocuments } from '@bulla/trust/bytes/yaml/parse';
import { PREDICATE_TYPES } from '@bulla/trust/claims/predicate-type';
import { FULCIO_EXTENSIONS } from '@bulla/trust/x509/fulcio-extensions';
import { ACCEPTED, refusedText } from './policy-texts.ts';
import { REFUSED_CONDITIONS } from './refused-conditions.ts';
import { REFUSED_EXCEPTIONS } from './refused-exceptions.ts';
import { REFUSED_SHAPES } from './refused-policies.ts';

const SCHEMA = JSON.parse(
  readFileSync(
    new URL('../../../../docs/schemas/trust-policy.schema.json', import.meta.url),
    'utf8',
  ),
);

// The server's web framework brings this validator; strict: a keyword that it does not know throws.
const { Ajv2020 } = createRequire(import.meta.url)('ajv/dist/2020.js');
const validate = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false }).compile(
  SCHEMA,
);

function documentsOf(text: string): readonly unknown[] {
  const { documents } = parseYamlDocuments(Buffer.from(text), 'a.yaml', 'policy.malformed');
  assert.ok(documents.length > 0);
  return documents.map((node) => JSON.parse(JSON.stringify(plainValue(node))));
}

for (const { name, text } of ACCEPTED) {
  test(`the published schema accepts a policy of ${name}`, () => {
    for (const document of documentsOf(text)) {
      assert.ok(validate(document), JSON.stringify(validate.errors));
    }
  });
}

for (const refused of [...REFUSED_SHAPES, ...REFUSED_CONDITIONS, ...REFUSED_EXCEPTIONS]) {
  const verb = refused.beyondSchema === true ? 'cannot know' : 'refuses';
  test(`the published schema ${verb} a policy of ${refused.name}`, () => {
    const [document] = documentsOf(refusedText(refused));
    assert.equal(validate(document), refused.beyondSchema === true);
  });
}

test('every member of the schema tells an editor what it is', () => {
  let seen = 0;
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, member] of Object.entries(Object(value).properties ?? {})) {
      const { $ref, description, const: only } = Object(member);
      const target = $ref === undefined ? null : SCHEMA.$defs[$ref.replace('#/$defs/', '')];
      const isCondition = only === 'off';
      assert.ok(isCondition || description || target?.description, `${path}.${name}`);
      seen++;
    }
    for (const [name, member] of Object.entries(value)) visit(member, `${path}.${name}`);
  };
  visit(SCHEMA, '$');
  assert.ok(seen > 60, `${seen}`);
});

test('the schema knows the claims and the predicate types that the library knows', () => {
  const { attested, keyless } = SCHEMA.$defs;
  assert.deepEqual(attested.properties.type.anyOf[0].enum, Object.keys(PREDICATE_TYPES));
  assert.deepEqual(
    keyless.properties.claims.propertyNames.enum.toSorted(),
    [...new Set(FULCIO_EXTENSIONS.map(({ name }) => name))].toSorted(),
  );
});
