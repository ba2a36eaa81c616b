import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { type LogSubmission, submitLogEntry } from '@bulla/trust/clients/log-client';
import { ALGORITHMS } from '@bulla/trust/crypto/algorithm';
import { parseSpki } from '@bulla/trust/crypto/public-key';
import { verifyLogEntry } from '@bulla/trust/logentries/verify-entry';
import { parseTrustedRoot } from '@bulla/trust/trust-root/trusted-root';
import { parseCertificate } from '@bulla/trust/x509/certificate';
import { failedCodes } from '../logentries/synthetic-entry.ts';
import { testKey } from '../tlog/synthetic-log.ts';
import { reply, scriptedService } from './scripted-service.ts';

const VECTORS = join(import.meta.dirname, '../../../../vectors');
const TRANSCRIPT: readonly {
  name: string;
  request: { path: string; body: { json: unknown } };
  response: {
    status: number;
    headers: Record<string, string>;
    body: { json?: unknown; text?: string };
  };
}[] = JSON.parse(readFileSync(join(VECTORS, 'rekor-tiles/rekor-transcript.json'), 'utf8'));

function recorded(name: string) {
  const found = TRANSCRIPT.find((exchange) => exchange.name === name);
  assert.ok(found, name);
  const { status, headers, body } = found.response;
  const { 'Content-Length': _, Connection: __, ...kept } = headers;
  return { ...found, answer: reply(status, body.text ?? JSON.stringify(body.json), kept) };
}

const bytes = (base64: string) => Buffer.from(base64, 'base64');

interface RequestV002 {
  digest: string;
  signature: {
    content: string;
    verifier: { publicKey: { rawBytes: string }; x509Certificate?: { rawBytes: string } };
  };
}

/** The submission whose request the real server was sent. */
function submissionOf(request: unknown, url: string): LogSubmission {
  const { digest, signature } = (request as { hashedRekordRequestV002: RequestV002 })
    .hashedRekordRequestV002;
  const { publicKey, x509Certificate } = signature.verifier;
  const signer =
    x509Certificate === undefined
      ? { key: parseSpki(bytes(publicKey.rawBytes), 'request'), certificate: null }
      : {
          key: parseCertificate(bytes(x509Certificate.rawBytes), 'request').publicKey,
          certificate: bytes(x509Certificate.rawBytes),
        };
  return {
    url,
    digest: { hash: 'sha256', value: bytes(digest) },
    signature: bytes(signature.content),
    signer,
    algorithm: ALGORITHMS['ecdsa-sha256'],
    timeoutMs: 5000,
  };
}

for (const name of ['add-hashedrekord-key', 'add-hashedrekord-certificate']) {
  test(`the request and the answer of ${name} are the real server’s`, async (t) => {
    const { request, answer } = recorded(name);
    const { url, seen } = await scriptedService(t, [answer]);
    const submission = submissionOf(request.body.json, `${url}/`);
    const entry = await submitLogEntry(submission);
    assert.equal(seen[0]?.path, request.path);
    assert.deepEqual(JSON.parse(Buffer.from(seen[0]?.body ?? []).toString()), request.body.json);
    const root = parseTrustedRoot(
      readFileSync(join(VECTORS, 'cosign/trust/trusted_root.json')),
      'root',
    );
    const { finding } = await verifyLogEntry({
      entry,
      logs: root.tlogs,
      material: { kind: 'message', ...submission, ...submission.signer },
      trustedTimes: [],
      at: new Date('2026-11-21T00:00:00Z'),
      requireProof: true,
    });
    assert.deepEqual(failedCodes(finding), []);
  });
}

const KEY = testKey('ecdsa-p256');
const DIGEST = createHash('sha256').update('x').digest();

function submission(url: string): LogSubmission {
  return {
    url,
    digest: { hash: 'sha256', value: DIGEST },
    signature: KEY.sign(Buffer.from('x')),
    signer: { key: KEY.publicKey, certificate: null },
    algorithm: KEY.algorithm,
    timeoutMs: 5000,
  };
}

const GOOD = recorded('add-hashedrekord-key').response.body.json as Record<string, unknown>;
const MALFORMED = 'service.answer-malformed';

const ANSWERS = [
  { name: 'a duplicate', answer: recorded('add-same-again').answer, expect: 'service.duplicate' },
  {
    name: 'a refusal',
    answer: recorded('error-signature-does-not-verify').answer,
    expect: 'service.refused',
  },
  { name: 'a failure', answer: reply(500, 'down'), expect: 'service.unreachable' },
  { name: 'HTML', answer: reply(200, '<html>'), expect: MALFORMED },
  { name: 'nothing', answer: reply(201, ''), expect: MALFORMED },
  { name: 'another document', answer: reply(201, '{}'), expect: MALFORMED },
  {
    name: 'an entry without proof',
    answer: reply(201, JSON.stringify({ ...GOOD, inclusionProof: null })),
    expect: MALFORMED,
  },
  {
    name: 'an entry with the same key twice',
    answer: reply(201, '{"logIndex":"1","logIndex":"2"}'),
    expect: MALFORMED,
  },
  { name: '2 MiB', answer: reply(201, ' '.repeat(2 << 20)), expect: 'service.answer-limit' },
] as const;

for (const { name, answer, expect } of ANSWERS) {
  test(`a log that answers with ${name}: ${expect}`, async (t) => {
    const { url } = await scriptedService(t, [answer]);
    await assert.rejects(submitLogEntry(submission(url)), { code: expect });
  });
}

test('a field that a later log adds is ignored', async (t) => {
  const { url } = await scriptedService(t, [reply(201, JSON.stringify({ ...GOOD, later: 1 }))]);
  assert.equal((await submitLogEntry(submission(url))).logIndex, 131n);
});

test('the path of the log’s base address is kept', async (t) => {
  const { url, seen } = await scriptedService(t, [reply(201, JSON.stringify(GOOD))]);
  await submitLogEntry(submission(`${url}/logs/a/`));
  assert.equal(seen[0]?.path, '/logs/a/api/v2/log/entries');
});

const P384 = testKey('ecdsa-p384');
const UNSUPPORTED = [
  {
    name: 'pure Ed25519',
    changes: {
      signer: { key: testKey('ed25519').publicKey, certificate: null },
      algorithm: ALGORITHMS.ed25519,
      digest: { hash: 'sha512', value: new Uint8Array(64) },
    },
  },
  {
    name: 'P-384 with SHA-256',
    changes: { signer: { key: P384.publicKey, certificate: null } },
  },
  {
    name: 'a digest by another algorithm',
    changes: { digest: { hash: 'sha512', value: new Uint8Array(64) } },
  },
] as const;

for (const { name, changes } of UNSUPPORTED) {
  test(`${name} is not sent`, async (t) => {
    const { url, seen } = await scriptedService(t, [reply(500)]);
    const call = submitLogEntry({ ...submission(url), ...changes });
    await assert.rejects(call, { code: 'tlog.entry-unsupported' });
    assert.equal(seen.length, 0);
  });
}
