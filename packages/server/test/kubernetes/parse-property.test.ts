import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import fc from 'fast-check';
import { parseSecret } from '../../src/admission-tls/secret.ts';
import { parseDockerConfig, registriesOf } from '../../src/kubernetes/docker-config.ts';
import { CLUSTER_IMAGE_POLICIES, TRUST_POLICIES } from '../../src/kubernetes/policies/kind.ts';
import { refusingPolicy } from '../../src/kubernetes/policies/unusable.ts';

/** What `act` throws must be a fault, and no defect. */
function onlyFaults(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof TrustFault, String(error));
    assert.notEqual(error.code, 'internal.defect');
  }
}

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value) ?? '');

test('pull secrets: no input throws anything but TrustFault, and no key leads elsewhere', () => {
  const auths = fc.dictionary(
    fc.oneof(fc.string(), fc.webUrl(), fc.domain()),
    fc.oneof(fc.json(), fc.record({ auth: fc.string(), username: fc.string() })),
  );
  const input = fc.oneof(
    fc.uint8Array(),
    fc.json().map((text) => Buffer.from(text)),
    auths.map((each) => bytes({ auths: each })),
  );
  fc.assert(
    fc.property(input, (each) => {
      onlyFaults(() => parseDockerConfig(each, 'dockerconfigjson'));
      onlyFaults(() => parseDockerConfig(each, 'dockercfg'));
    }),
  );
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.domain()), (key) => {
      const hosts = ['registry.example', 'a.b.example:5000'];
      for (const registry of registriesOf(key, hosts)) assert.doesNotMatch(registry, /[*?[\s]/);
    }),
  );
});

test('the Secret of certificates: no input throws anything but TrustFault', () => {
  const data = fc.dictionary(
    fc.constantFrom('authority.crt', 'authority.key', 'tls.crt', 'tls.key', 'former', 'next.crt'),
    fc.oneof(fc.string(), fc.base64String()),
  );
  const value = fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.record({ data }));
  fc.assert(fc.property(value, (each) => onlyFaults(() => parseSecret(each))));
});

test('whatever an unusable document says, something stands for it that refuses', () => {
  const pattern = fc.record({ glob: fc.string() });
  const spec = fc.record(
    {
      images: fc.oneof(fc.array(pattern), fc.jsonValue()),
      namespaces: fc.oneof(fc.array(pattern), fc.jsonValue()),
      surfaces: fc.oneof(fc.array(fc.constantFrom('pull', 'admission')), fc.jsonValue()),
      mode: fc.oneof(fc.constant('enforce'), fc.string()),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(spec, fc.jsonValue()), (each) => {
      const mode = typeof each === 'object' && each !== null && 'mode' in each ? each.mode : null;
      const isMild = mode === 'warn' || mode === 'audit';
      for (const kind of [TRUST_POLICIES, CLUSTER_IMAGE_POLICIES]) {
        const policy = refusingPolicy(kind, { spec: each }, 'prod', 'it cannot be used');
        assert.equal(policy === null, isMild);
        if (policy !== null) {
          assert.equal(policy.document.mode, 'enforce');
          assert.deepEqual(
            [...policy.authorities.values()].map(({ authority }) => authority),
            [null],
          );
        }
        onlyFaults(() => kind.policyOf({ spec: each }, 'prod'));
      }
    }),
  );
});
