import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeEntry } from '@bulla/trust/fault/codes';
import { TrustFault } from '@bulla/trust/fault/fault';
import { publicFault } from '../../src/http/public-fault.ts';

const SECRET = '/srv/bulla/tables.db: disk I/O error';

test('a fault of the caller is told as it is', () => {
  const fault = new TrustFault('http.not-found', 'no such path', 'Look again.');
  assert.deepEqual(publicFault(fault), {
    status: 404,
    code: 'http.not-found',
    message: 'no such path',
    remedy: 'Look again.',
  });
});

test('a fault of the server itself never tells its message', () => {
  for (const error of [
    new TrustFault('storage.failed', SECRET, SECRET),
    new TrustFault('record.unavailable', SECRET),
    new Error(SECRET),
  ]) {
    const told = publicFault(error);
    assert.ok(told.status >= 500);
    assert.ok(!JSON.stringify(told).includes('srv'), told.message);
    assert.equal(told.message, codeEntry(told.code).means);
  }
});

test('a code whose messages are worded for callers is told as it is', () => {
  const fault = new TrustFault('upstream.timeout', 'docker.io/library/app: no answer');
  const told = publicFault(fault, (code) => code.startsWith('upstream.'));
  assert.equal(told.message, 'docker.io/library/app: no answer');
});
