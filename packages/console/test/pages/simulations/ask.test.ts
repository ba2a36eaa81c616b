import { expect, test } from 'vitest';
import { readAsk } from '../../../src/pages/simulations/ask.ts';

function form(fields: Readonly<Record<string, string>>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  return data;
}

const PEM = '-----BEGIN PUBLIC KEY-----\nMFkw\nEwYH\n-----END PUBLIC KEY-----';

test('policies are asked about as they were written', () => {
  const policy = '  kind: TrustPolicy\n';
  expect(readAsk('simulation', form({ days: '7', policy, remove: 'legacy, staging' }))).toEqual({
    kind: 'simulation',
    days: 7,
    documents: [{ file: 'candidate.yaml', text: policy }],
    remove: ['legacy', 'staging'],
  });
});

test('policies may also only go', () => {
  const ask = readAsk('simulation', form({ days: '1', policy: ' \n', remove: 'legacy' }));
  expect(ask).toMatchObject({ documents: [], remove: ['legacy'] });
});

test('keys are names, ids, or public keys in PEM, each by itself', () => {
  const keys = `release\n${PEM}\n  0a0b \n${PEM}`;
  expect(readAsk('impact', form({ days: '30', keys, roots: 'acme\n\nlog.example' }))).toEqual({
    kind: 'impact',
    days: 30,
    runningDays: 30,
    retireKeys: [PEM, PEM, 'release', '0a0b'],
    renameIdentities: [],
    retireRoots: ['acme', 'log.example'],
  });
});

test('an identity is renamed from one to another', () => {
  expect(readAsk('impact', form({ days: '7', from: ' a ', to: 'b' }))).toMatchObject({
    renameIdentities: [{ from: 'a', to: 'b' }],
  });
});

const LACKS = [
  { name: 'a policy', kind: 'simulation', fields: { days: '7', policy: ' ' }, expect: /YAML/ },
  { name: 'a change', kind: 'impact', fields: { days: '7', keys: ' \n' }, expect: /at least one/ },
  { name: 'the new name', kind: 'impact', fields: { days: '7', from: 'a' }, expect: /new one/ },
  { name: 'the former name', kind: 'impact', fields: { days: '7', to: 'b' }, expect: /former/ },
] as const;

test.each(LACKS)('a form without $name says so', ({ kind, fields, expect: expected }) => {
  expect(readAsk(kind, form(fields))).toMatch(expected);
});
