import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { derSequence, readDer } from '@bulla/trust/bytes/der';
import { writeDer, writeOid, writeSequence } from '@bulla/trust/bytes/der-writer';
import { parseSpki } from '@bulla/trust/crypto/public-key';
import { renderFinding } from '@bulla/trust/finding/render-text';
import type { KeylessAuthority } from '@bulla/trust/proof/authority';
import { checkIdentity } from '@bulla/trust/proof/identity';
import { DEV, keyless } from '../sigstore-lab/question.ts';
import {
  leafExtensions,
  makeCertificate,
  utf8Value,
  writeExtension,
} from '../x509/synthetic-certificate.ts';

// Certificates that name somebody in a place where a careless reader would look for the subject.

const USER_PRINCIPAL_NAME = '1.3.6.1.4.1.311.20.2.3';
const FULCIO = '1.3.6.1.4.1.57264.1';
const VICTIM = keyless(DEV) as KeylessAuthority;
const other = (oid: string, text: string) =>
  writeDer(0xa0, writeOid(oid), writeDer(0xa0, utf8Value(text)));
const email = (text: string) => writeDer(0x81, Buffer.from(text));

function certificate(names: readonly Uint8Array[], issuers: readonly Uint8Array[] = []) {
  return makeCertificate({
    subject: writeSequence(
      writeDer(0x31, writeSequence(writeOid('2.5.4.3'), utf8Value(DEV.subject))),
    ),
    extensions: [
      ...leafExtensions(),
      ...(names.length === 0 ? [] : [writeExtension('2.5.29.17', writeSequence(...names), true)]),
      ...(issuers.length === 0 ? [writeExtension(`${FULCIO}.8`, utf8Value(DEV.issuer))] : issuers),
    ],
  });
}

const ROWS = [
  { name: 'the address itself', names: [email(DEV.subject)], passes: true },
  { name: 'the second of two addresses', names: [email('a@b'), email(DEV.subject)], passes: true },
  { name: 'a Windows login name', names: [other(USER_PRINCIPAL_NAME, DEV.subject)], passes: false },
  { name: 'a username of Fulcio', names: [other(`${FULCIO}.7`, DEV.subject)], passes: true },
  { name: 'the common name alone', names: [], passes: false },
  { name: 'a longer address', names: [email(`${DEV.subject}.evil.example`)], passes: false },
  { name: 'an address with a dot at its end', names: [email(`${DEV.subject}.`)], passes: false },
] as const;

for (const { name, names, passes } of ROWS) {
  test(`the subject in ${name}`, () => {
    const { finding } = checkIdentity(certificate(names), VICTIM);
    assert.equal(finding.outcome, passes ? 'pass' : 'fail', renderFinding(finding).join('\n'));
    if (!passes) assert.equal(finding.code, 'proof.identity-mismatch');
    // Who is said to have signed is who was asked for.
    if (passes) assert.match(finding.says, /dev@acme\.example$/);
  });
}

test('a key that OpenSSL reads and cannot write is damaged, no defect', () => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const plain = publicKey.export({ format: 'der', type: 'spki' });
  const [, bits] = derSequence(readDer(plain, 'key'), 'key');
  const sha256 = writeSequence(writeOid('2.16.840.1.101.3.4.2.1'));
  const parameters = writeSequence(
    writeDer(0xa0, sha256),
    writeDer(0xa1, writeSequence(writeOid('1.2.840.113549.1.1.8'), sha256)),
    // A salt of -1 bytes.
    writeDer(0xa2, writeDer(0x02, Uint8Array.of(0xff))),
  );
  const pss = writeSequence(writeOid('1.2.840.113549.1.1.10'), parameters);
  const spki = writeSequence(pss, bits?.raw ?? new Uint8Array());
  assert.throws(() => parseSpki(spki, 'certificate'), { code: 'crypto.key-malformed' });
});
