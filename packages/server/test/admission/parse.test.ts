import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseReview } from '@bulla/server/admission/parse';
import { TrustFault } from '@bulla/trust/fault/fault';
import fc from 'fast-check';
import { type KubeObject, pod, reviewOf } from './reviews.ts';

const MOST = 8 << 20;
const REVIEW = reviewOf({ object: pod(['a']) });
const request = (more: KubeObject) => ({
  ...REVIEW,
  request: { ...asMap(REVIEW['request']), ...more },
});

function asMap(value: unknown): KubeObject {
  return value as KubeObject;
}

function read(document: unknown) {
  const text = typeof document === 'string' ? document : JSON.stringify(document);
  return parseReview(Buffer.from(text), MOST);
}

const REFUSED: readonly {
  readonly name: string;
  readonly document: unknown;
  readonly code?: string;
}[] = [
  { name: 'nothing', document: '' },
  { name: 'no JSON', document: '{"kind":' },
  { name: 'a list', document: [] },
  { name: 'a key twice', document: '{"kind":"AdmissionReview","kind":"AdmissionReview"}' },
  { name: 'another kind', document: { ...REVIEW, kind: 'ConversionReview' } },
  { name: 'no kind', document: { ...REVIEW, kind: undefined } },
  { name: 'another group', document: { ...REVIEW, apiVersion: 'v1' } },
  {
    name: 'v1beta1',
    document: { ...REVIEW, apiVersion: 'admission.k8s.io/v1beta1' },
    code: 'admission.version-unsupported',
  },
  { name: 'no request', document: { ...REVIEW, request: undefined } },
  { name: 'an answer', document: { ...REVIEW, request: undefined, response: {} } },
  { name: 'no uid', document: request({ uid: undefined }) },
  { name: 'an empty uid', document: request({ uid: '' }) },
  { name: 'a long uid', document: request({ uid: 'u'.repeat(300) }) },
  { name: 'no kind of the object', document: request({ kind: undefined }) },
  { name: 'a kind that is text', document: request({ kind: 'Pod' }) },
  { name: 'an operation that nobody knows', document: request({ operation: 'PATCH' }) },
  { name: 'no operation', document: request({ operation: undefined }) },
  { name: 'an object that is text', document: request({ object: 'Pod' }) },
  { name: 'an object that is a list', document: request({ object: [] }) },
  { name: 'a namespace that is a number', document: request({ namespace: 5 }) },
  { name: 'dryRun that is text', document: request({ dryRun: 'true' }) },
  { name: 'a deep object', document: `${'['.repeat(600)}${']'.repeat(600)}` },
];

for (const { name, document, code = 'admission.review-malformed' } of REFUSED) {
  test(`a review with ${name} is ${code}`, () => {
    assert.throws(
      () => read(document),
      (error) => error instanceof TrustFault && error.code === code,
    );
  });
}

test('a review is read, and what later API servers add is passed over', () => {
  const review = read({ ...request({ tomorrow: 1, name: '' }), more: {} });
  assert.deepEqual(
    { ...review, uid: '', object: null },
    {
      uid: '',
      apiVersion: 'v1',
      kind: 'Pod',
      subResource: '',
      name: null,
      namespace: 'shop',
      operation: 'CREATE',
      username: 'alice',
      dryRun: false,
      object: null,
      oldObject: null,
    },
  );
});

test('no input throws anything but a TrustFault', () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string()), fc.object(), (text, more) => {
      for (const document of [text, { ...REVIEW, ...more }, request(more)]) {
        try {
          read(document);
        } catch (error) {
          assert.ok(error instanceof TrustFault);
          assert.notEqual(error.code, 'internal.defect');
        }
      }
    }),
    { numRuns: 300 },
  );
});
