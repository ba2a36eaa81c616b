import { expect, test } from 'vitest';
import { fileName } from '../../../src/pages/policies/files.ts';

test.each([
  ['/etc/bulla/policies/production.yaml', 'production.yaml'],
  ['policies/production.yaml', 'production.yaml'],
  ['policy.json', 'policy.json'],
  ['C:\\policies\\prod.yaml', 'prod.yaml'],
])('of the path %s %s is shown', (path, expected) => {
  expect(fileName(path)).toBe(expected);
});
