import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import fc from 'fast-check';
import { createLog, type LogLevel, logRequests } from '../../src/http/log.ts';

function open(level: LogLevel = 'debug') {
  const lines: string[] = [];
  const log = createLog(level, { write: (line) => lines.push(line) });
  const last = (): Record<string, unknown> => JSON.parse(lines.at(-1) ?? 'null');
  return { log, lines, last };
}

test('a line is one JSON object with level, time, message and fields', () => {
  const { log, last } = open();
  log.with({ service: 'gateway' }).warn('hello', { count: 2, at: new Date(0), big: 1n });
  const { time, ...rest } = last();
  assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.deepEqual(rest, {
    level: 'warn',
    service: 'gateway',
    count: 2,
    at: '1970-01-01T00:00:00.000Z',
    big: '1',
    message: 'hello',
  });
});

test('foreign text cannot forge a line, a field, or move a cursor', () => {
  const { log, lines, last } = open();
  const hostile = 'a\n{"level":"error","message":"forged"}\r\u001b[2K\u009b1A\u202e\u2028b';
  log.info(hostile, { agent: hostile, [hostile]: 1, level: 'error', message: 'x', time: 0 });
  assert.equal(lines.length, 1);
  assert.equal(lines[0]?.match(/\n/g)?.length, 1);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not be there
  assert.doesNotMatch(lines[0] ?? '', /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/);
  const { level, message, agent } = last();
  assert.equal(level, 'info');
  assert.match(String(message), /^a\\u000a/);
  assert.match(String(agent), /\\u001b/);
});

const SECRET = 'hunter2hunter2';
const HIDDEN: readonly { readonly name: string; readonly fields: Record<string, unknown> }[] = [
  { name: 'authorization', fields: { authorization: SECRET } },
  { name: 'a header of any case', fields: { headers: { 'Proxy-Authorization': SECRET } } },
  { name: 'a cookie', fields: { cookie: SECRET, 'set-cookie': [SECRET] } },
  { name: 'a password, deep down', fields: { a: [{ b: { user_password: SECRET } }] } },
  { name: 'a token', fields: { accessToken: { value: SECRET }, refresh_token: SECRET } },
  { name: 'an API key', fields: { 'x-api-key': SECRET, clientSecret: SECRET } },
  { name: 'a bearer token in a text', fields: { said: `got "Bearer ${SECRET}", no` } },
  { name: 'basic credentials in a text', fields: { said: `basic ${SECRET}` } },
  { name: 'a URL with a password', fields: { url: `postgres://bulla:${SECRET}@db/x` } },
  { name: 'an error about one', fields: { error: new Error(`https://u:${SECRET}@h failed`) } },
  {
    name: 'the cause of an error',
    fields: { error: new Error('x', { cause: new Error(`Bearer ${SECRET}`) }) },
  },
];

for (const { name, fields } of HIDDEN) {
  test(`${name} is redacted`, () => {
    const { log, lines } = open();
    log.error('x', fields);
    log.with(fields).info('y');
    log.info(`said Bearer ${SECRET}`);
    assert.doesNotMatch(lines.join(''), new RegExp(SECRET));
    assert.match(lines.join(''), /\[redacted\]/);
  });
}

test('what only sounds like a secret is kept', () => {
  const { log, last } = open();
  log.info('x', { tokenId: 't1', passwordChangedAt: 1, tokens: 3, authorizationKind: 'basic' });
  const { tokenId, passwordChangedAt, tokens, authorizationKind } = last();
  assert.deepEqual([tokenId, passwordChangedAt, tokens, authorizationKind], ['t1', 1, 3, 'basic']);
});

test('fields are bounded, and what leads to itself ends', () => {
  const { log, lines } = open();
  const loop: Record<string, unknown> = { bytes: new Uint8Array(9) };
  loop['self'] = loop;
  log.info('x', { loop, long: 'a'.repeat(1e6), many: Array.from({ length: 1000 }, () => 'b') });
  assert.ok((lines[0] ?? '').length < 5000);
  assert.match(lines[0] ?? '', /\[9 bytes\]/);
});

test('nothing below the level is written', () => {
  const { log, lines } = open('warn');
  log.info('x');
  log.debug('x');
  assert.deepEqual(lines, []);
  log.error('x');
  assert.equal(lines.length, 1);
});

const FACTS = {
  id: 'r1',
  method: 'GET',
  path: '/v2/',
  door: '/v2',
  durationMs: 1.23456,
  remoteAddress: '127.0.0.1',
  listener: 'http://127.0.0.1:1',
  clientCertificate: null,
  cut: false,
};
const REQUESTS = [
  { name: 'an answer', status: 200, fault: null, level: 'debug' },
  { name: 'a refusal', status: 404, fault: new TrustFault('http.not-found', 'x'), level: 'debug' },
  { name: 'an outage', status: 503, fault: new TrustFault('access.busy', 'x'), level: 'warn' },
  { name: 'a defect', status: 500, fault: new TrustFault('internal.defect', 'x'), level: 'error' },
] as const;

for (const { name, status, fault, level } of REQUESTS) {
  test(`the line of ${name} is at ${level}`, () => {
    const { log, last } = open();
    logRequests(log)({ ...FACTS, status, fault });
    const line = last();
    assert.deepEqual([line['level'], line['id'], line['durationMs']], [level, 'r1', 1.235]);
    // Where a defect arose is what mends it.
    if (level === 'error') assert.match(JSON.stringify(line), /log\.test\.ts/);
  });
}

test('writing a line never throws', () => {
  const { log } = open();
  fc.assert(fc.property(fc.string(), fc.object(), (message, fields) => log.info(message, fields)));
});
