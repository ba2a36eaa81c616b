import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import { digestOf } from '@bulla/trust/bytes/hash';
import { decodeHex } from '@bulla/trust/bytes/hex';
import { ALGORITHMS } from '@bulla/trust/crypto/algorithm';
import { parseSpki } from '@bulla/trust/crypto/public-key';
import { verifyDigestSignature } from '@bulla/trust/crypto/verify-digest';
import { verifySignature } from '@bulla/trust/crypto/verify-signature';
import { vectorsFolder } from '../../../../test/peers.ts';

interface Case {
  readonly tcId: number;
  readonly comment: string;
  readonly flags: readonly string[];
  readonly msg: string;
  readonly sig: string;
  readonly result: 'valid' | 'invalid' | 'acceptable';
}

interface Suite {
  readonly testGroups: readonly {
    readonly publicKeyDer: string;
    readonly tests: readonly Case[];
  }[];
}

const SUITES = [
  { file: 'ecdsa_secp256r1_sha256_p1363', algorithm: 'ecdsa-sha256', encoding: 'p1363' },
  { file: 'ecdsa_secp256r1_sha256', algorithm: 'ecdsa-sha256', encoding: 'der' },
  { file: 'ecdsa_secp384r1_sha384_p1363', algorithm: 'ecdsa-sha384', encoding: 'p1363' },
  { file: 'ecdsa_secp384r1_sha384', algorithm: 'ecdsa-sha384', encoding: 'der' },
  { file: 'ecdsa_secp521r1_sha512_p1363', algorithm: 'ecdsa-sha512', encoding: 'p1363' },
  { file: 'ecdsa_secp521r1_sha512', algorithm: 'ecdsa-sha512', encoding: 'der' },
  { file: 'ed25519', algorithm: 'ed25519', encoding: 'der' },
  { file: 'rsa_pss_2048_sha256_mgf1_32', algorithm: 'rsa-pss-sha256', encoding: 'der' },
  { file: 'rsa_pss_3072_sha256_mgf1_32', algorithm: 'rsa-pss-sha256', encoding: 'der' },
  { file: 'rsa_pss_4096_sha512_mgf1_64', algorithm: 'rsa-pss-sha512', encoding: 'der' },
  { file: 'rsa_signature_2048_sha256', algorithm: 'rsa-pkcs1v15-sha256', encoding: 'der' },
  { file: 'rsa_signature_3072_sha256', algorithm: 'rsa-pkcs1v15-sha256', encoding: 'der' },
  { file: 'rsa_signature_4096_sha256', algorithm: 'rsa-pkcs1v15-sha256', encoding: 'der' },
] as const;

/** What Bulla answers where the suite leaves the choice: docs/differences.md, "Wycheproof". */
const ACCEPTABLE: Readonly<Record<string, boolean>> = { MissingNull: false };

/** RSA with exponent 3: the key is refused, whatever it signed (docs/differences.md). */
const REFUSED_KEY = 'SmallPublicKey';

async function answerOf(item: Case, keyDer: string, suite: (typeof SUITES)[number]) {
  const key = parseSpki(decodeHex(keyDer), 'key');
  const { algorithm, encoding } = suite;
  const [message, signature] = [decodeHex(item.msg), decodeHex(item.sig)];
  return await verifySignature(key, ALGORITHMS[algorithm], message, signature, encoding);
}

for (const suite of SUITES) {
  test(`Wycheproof ${suite.file}: what is valid verifies, what is invalid does not`, async (t) => {
    const folder = vectorsFolder(t, 'wycheproof');
    if (folder === null) return;
    const bytes = gunzipSync(readFileSync(join(folder, `${suite.file}_test.json.gz`)));
    const document: Suite = JSON.parse(bytes.toString());
    const counts = { valid: 0, invalid: 0, acceptable: 0 };
    const wrong: string[] = [];
    for (const { publicKeyDer, tests } of document.testGroups) {
      for (const item of tests) {
        counts[item.result]++;
        const asked = answerOf(item, publicKeyDer, suite);
        if (item.flags.includes(REFUSED_KEY)) {
          await assert.rejects(asked, { code: 'crypto.key-unsupported' });
          continue;
        }
        const answer = await asked;
        const expected =
          item.result === 'acceptable' ? ACCEPTABLE[item.flags.join()] : item.result === 'valid';
        if (answer !== expected) {
          wrong.push(`${item.tcId} ${item.result} [${item.flags}] ${item.comment}: ${answer}`);
        }
      }
    }
    assert.deepEqual(wrong, []);
    assert.ok(counts.valid > 5 && counts.invalid > 40, JSON.stringify(counts));
  });
}

/** The larger curves cost up to 10 ms in JavaScript: every so many of their vectors are checked. */
const DIGEST_EVERY: Readonly<Record<string, number>> = {
  ecdsa_secp384r1_sha384: 4,
  ecdsa_secp521r1_sha512: 8,
};

for (const suite of SUITES.filter(({ encoding }) => encoding === 'der')) {
  test(`Wycheproof ${suite.file}: a check by digest gives the same answers`, async (t) => {
    const folder = vectorsFolder(t, 'wycheproof');
    if (folder === null) return;
    const bytes = gunzipSync(readFileSync(join(folder, `${suite.file}_test.json.gz`)));
    const document: Suite = JSON.parse(bytes.toString());
    const algorithm = ALGORITHMS[suite.algorithm];
    const checkable = algorithm.scheme === 'ecdsa' || algorithm.scheme === 'rsa-pkcs1v15';
    const wrong: string[] = [];
    for (const { publicKeyDer, tests } of document.testGroups) {
      for (const item of tests.filter(({ tcId }) => tcId % (DIGEST_EVERY[suite.file] ?? 1) === 0)) {
        if (item.flags.includes(REFUSED_KEY)) continue;
        const key = parseSpki(decodeHex(publicKeyDer), 'key');
        const digest = digestOf(algorithm.hash ?? 'sha512', decodeHex(item.msg));
        const answer = await verifyDigestSignature(key, algorithm, digest, decodeHex(item.sig));
        const expected = checkable ? await answerOf(item, publicKeyDer, suite) : null;
        if (answer !== expected)
          wrong.push(`${item.tcId} [${item.flags}] ${item.comment}: ${answer}`);
      }
    }
    assert.deepEqual(wrong, []);
  });
}
