import assert from 'node:assert/strict';
import test from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import { describeKeyReference, parseKeyReference } from '@bulla/trust/keys/file/reference';
import fc from 'fast-check';

const READ = [
  { text: 'cosign.key', expect: { kind: 'file', path: 'cosign.key' } },
  { text: '/etc/bulla/a b.key', expect: { kind: 'file', path: '/etc/bulla/a b.key' } },
  { text: './file:odd', expect: { kind: 'file', path: './file:odd' } },
  { text: 'C:\\keys\\a.key', expect: { kind: 'file', path: 'C:\\keys\\a.key' } },
  { text: 'file:///etc/bulla/a%20b.key', expect: { kind: 'file', path: '/etc/bulla/a b.key' } },
  { text: 'FILE:///etc/a.key', expect: { kind: 'file', path: '/etc/a.key' } },
  { text: 'env://RELEASE_KEY', expect: { kind: 'env', variable: 'RELEASE_KEY' } },
  { text: 'ENV://x', expect: { kind: 'env', variable: 'x' } },
] as const;

for (const { text, expect } of READ) {
  test(`${text} is read`, () => {
    assert.deepEqual(parseKeyReference(text), expect);
  });
}

const REFUSED = [
  { text: '', expect: 'key.reference-malformed' },
  { text: 'a\0b', expect: 'key.reference-malformed' },
  { text: 'file://host/a.key', expect: 'key.reference-malformed' },
  { text: 'file:///a%2fb', expect: 'key.reference-malformed' },
  { text: 'env://', expect: 'key.reference-malformed' },
  { text: 'env://A-B', expect: 'key.reference-malformed' },
  { text: 'env://1A', expect: 'key.reference-malformed' },
  { text: 'awskms:///alias/release', expect: 'key.reference-unsupported', says: 'AWS KMS' },
  { text: 'azurekms://v/k', expect: 'key.reference-unsupported', says: 'Azure Key Vault' },
  { text: 'gcpkms://p', expect: 'key.reference-unsupported', says: 'Google Cloud KMS' },
  { text: 'hashivault://k', expect: 'key.reference-unsupported', says: 'HashiCorp Vault' },
  { text: 'openbao://k', expect: 'key.reference-unsupported', says: 'OpenBao' },
  { text: 'pkcs11:token=a?pin-value=77', expect: 'key.reference-unsupported', says: 'PKCS#11' },
  { text: 'k8s://ns/name', expect: 'key.reference-unsupported', says: 'a Kubernetes secret' },
  { text: 'gitlab://p', expect: 'key.reference-unsupported', says: 'a GitLab variable' },
  { text: 'github://o/r', expect: 'key.reference-unsupported', says: 'a GitHub secret' },
  { text: 'https://u:p77@h/k', expect: 'key.reference-unsupported', says: 'on the web' },
  { text: 'mystore://k', expect: 'key.reference-unsupported', says: '"mystore"' },
] as const;

for (const { text, expect, ...rest } of REFUSED) {
  test(`${JSON.stringify(text)} is refused`, () => {
    assert.throws(
      () => parseKeyReference(text),
      (error) => {
        assert.ok(error instanceof TrustFault);
        assert.equal(error.code, expect);
        if ('says' in rest) assert.ok(error.message.includes(rest.says), error.message);
        assert.ok(!error.message.includes('77'), 'a pin or a password is never in the message');
        return true;
      },
    );
  });
}

test('a reference describes itself so that it reads back', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^(env|file):\/\/\/?\w*$/)), (text) => {
      try {
        const reference = parseKeyReference(text);
        assert.deepEqual(parseKeyReference(describeKeyReference(reference)), reference);
      } catch (error) {
        assert.ok(error instanceof TrustFault, String(error));
      }
    }),
  );
});
