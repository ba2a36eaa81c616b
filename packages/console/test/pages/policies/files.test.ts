import { expect, test } from 'vitest';
import { filesOf } from '../../../src/pages/policies/files.ts';

const FILES = [
  { file: 'a.yaml', text: 'metadata: { name: prod }\nspec: {}\n' },
  { file: 'b.yaml', text: 'metadata:\n  name: "prod-eu" # the other\n' },
  { file: 'c.json', text: '{"metadata":{"name":"prod.eu"}}' },
];

test.each([
  ['prod', ['a.yaml']],
  ['prod-eu', ['b.yaml']],
  ['prod.eu', ['c.json']],
  ['elsewhere', ['a.yaml', 'b.yaml', 'c.json']],
])('the policy %s stands in %j', (name, expected) => {
  expect(filesOf(name, FILES).map(({ file }) => file)).toEqual(expected);
});
