import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseKey, parseProviderRequest } from '@bulla/server/gatekeeper/parse';
import { TrustFault } from '@bulla/trust/fault/fault';
import fc from 'fast-check';
import { faultOf } from '../storage/expectations.ts';

const V1BETA1 = 'externaldata.gatekeeper.sh/v1beta1';

function request(change: object = {}): Buffer {
  const whole = { apiVersion: V1BETA1, kind: 'ProviderRequest', request: { keys: ['a', 'b'] } };
  return Buffer.from(JSON.stringify({ ...whole, ...change }));
}

test('a request of either version is read, whatever else it says', () => {
  for (const apiVersion of [V1BETA1, 'externaldata.gatekeeper.sh/v1alpha1']) {
    const read = parseProviderRequest(request({ apiVersion, later: true }));
    assert.deepEqual(read, { apiVersion, keys: ['a', 'b'] });
  }
});

test('without keys there is nothing to answer, which is no mistake', () => {
  assert.deepEqual(parseProviderRequest(request({ request: {} })).keys, []);
});

const MALFORMED: readonly { readonly name: string; readonly bytes: Buffer }[] = [
  { name: 'nothing', bytes: Buffer.alloc(0) },
  { name: 'no JSON', bytes: Buffer.from('{') },
  { name: 'null', bytes: Buffer.from('null') },
  { name: 'a list', bytes: Buffer.from('[]') },
  { name: 'another version', bytes: request({ apiVersion: 'externaldata.gatekeeper.sh/v1' }) },
  { name: 'another kind', bytes: request({ kind: 'ProviderResponse' }) },
  { name: 'no request', bytes: request({ request: undefined }) },
  { name: 'keys that are one text', bytes: request({ request: { keys: 'a' } }) },
  { name: 'a key that is null', bytes: request({ request: { keys: ['a', null] } }) },
  { name: 'a key that is a list', bytes: request({ request: { keys: [['a']] } }) },
  { name: 'too many keys', bytes: request({ request: { keys: Array(2001).fill('a') } }) },
  { name: 'too many bytes', bytes: request({ more: 'x'.repeat(1 << 20) }) },
  {
    name: 'one member twice',
    bytes: Buffer.from(`{"apiVersion":"${V1BETA1}","kind":"ProviderRequest","kind":"x"}`),
  },
];

for (const { name, bytes } of MALFORMED) {
  test(`a request is refused: ${name}`, () => {
    assert.throws(() => parseProviderRequest(bytes), faultOf('gatekeeper.request-invalid'));
  });
}

const KEYS: readonly {
  readonly key: string;
  readonly expect: readonly [string | null, string] | null;
}[] = [
  { key: 'nginx', expect: [null, 'nginx'] },
  { key: '[prod]registry.example/app:v1', expect: ['prod', 'registry.example/app:v1'] },
  { key: '[::1]:5000/app', expect: [null, '[::1]:5000/app'] },
  { key: '[prod][::1]:5000/app', expect: ['prod', '[::1]:5000/app'] },
  // What no registry could have is for the decision to refuse, and to record.
  { key: '[prod]no image', expect: ['prod', 'no image'] },
  { key: '', expect: null },
  { key: '[prod]', expect: null },
  { key: '[]nginx', expect: null },
  { key: '[Prod]nginx', expect: null },
  { key: '[a b]nginx', expect: null },
  { key: `[${'a'.repeat(64)}]nginx`, expect: null },
];

for (const { key, expect } of KEYS) {
  test(`the key ${JSON.stringify(key)} is ${expect === null ? 'refused' : expect.join(' in ')}`, () => {
    if (expect === null) {
      assert.throws(() => parseKey(key), faultOf('gatekeeper.key-invalid'));
      return;
    }
    const [namespace, reference] = expect;
    assert.deepEqual(parseKey(key), { namespace, reference });
  });
}

test('no input throws anything but TrustFault', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), fc.json().map(Buffer.from)), (bytes) => {
      try {
        parseProviderRequest(bytes);
      } catch (error) {
        assert.ok(error instanceof TrustFault);
      }
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (key) => {
      try {
        const { namespace, reference } = parseKey(key);
        assert.equal(namespace === null ? reference : `[${namespace}]${reference}`, key);
      } catch (error) {
        assert.ok(error instanceof TrustFault);
      }
    }),
  );
});
