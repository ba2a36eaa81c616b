import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { requestTimestamp, type TimestampCall } from '@bulla/trust/clients/timestamp-client';
import { reply, scriptedService } from './scripted-service.ts';

const FOLDER = join(import.meta.dirname, '../../../../vectors/timestamp-authority');
const MESSAGE = readFileSync(join(FOLDER, 'message.txt'));
const RESPONSE = readFileSync(join(FOLDER, 'sha256-cert.tsr'));
// The nonce of sha256-cert.tsq.
const NONCE = 0x96fa10a077198805n;
const TYPE = { 'Content-Type': 'application/timestamp-reply' };

function callOf(url: string, changes: Partial<TimestampCall> = {}): TimestampCall {
  return { url, signature: MESSAGE, nonce: NONCE, timeoutMs: 5000, ...changes };
}

for (const status of [200, 201]) {
  test(`the request is the one that the real authority answered, with ${status}`, async (t) => {
    const { url, seen } = await scriptedService(t, [reply(status, RESPONSE, TYPE)]);
    const response = await requestTimestamp(callOf(`${url}/api/v1/timestamp`));
    assert.deepEqual(Buffer.from(response), RESPONSE);
    const [request] = seen;
    assert.deepEqual(request?.body, readFileSync(join(FOLDER, 'sha256-cert.tsq')));
    assert.equal(request?.headers['content-type'], 'application/timestamp-query');
    assert.equal(request?.path, '/api/v1/timestamp');
  });
}

const ANSWERS = [
  {
    name: 'an older response',
    answer: reply(200, RESPONSE, TYPE),
    changes: { nonce: 1n },
    expect: 'timestamp.nonce-mismatch',
  },
  {
    name: 'a stamp on something else',
    answer: reply(200, RESPONSE, TYPE),
    changes: { signature: Buffer.from('other') },
    expect: 'timestamp.imprint-mismatch',
  },
  {
    name: 'no certificate',
    answer: reply(200, readFileSync(join(FOLDER, 'sha256-nocert.tsr')), TYPE),
    // The nonce of sha256-nocert.tsq.
    changes: { nonce: 0x15c5_6cec_8fec_ea5en },
    expect: 'timestamp.malformed',
  },
  {
    name: 'a response that is cut',
    answer: reply(200, RESPONSE.subarray(0, 100), TYPE),
    changes: {},
    expect: 'timestamp.malformed',
  },
  {
    name: 'HTML',
    answer: reply(200, '<html>', { 'Content-Type': 'text/html' }),
    changes: {},
    expect: 'service.answer-malformed',
  },
  {
    name: 'a refusal',
    answer: reply(400, '{"code":400,"message":"weak"}'),
    changes: {},
    expect: 'service.refused',
  },
  { name: 'a failure', answer: reply(502, ''), changes: {}, expect: 'service.unreachable' },
  {
    name: 'a megabyte',
    answer: reply(200, Buffer.alloc(1 << 20), TYPE),
    changes: {},
    expect: 'service.answer-limit',
  },
] as const;

for (const { name, answer, changes, expect } of ANSWERS) {
  test(`an authority that answers with ${name}: ${expect}`, async (t) => {
    const { url } = await scriptedService(t, [answer]);
    await assert.rejects(requestTimestamp(callOf(url, changes)), { code: expect });
  });
}
