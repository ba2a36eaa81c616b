import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { openExpressionRunner } from '@bulla/trust/policy/cel/runner';

const run = promisify(execFile);
const runner = openExpressionRunner();
test.after(() => runner[Symbol.asyncDispose]());

const VARIABLES = {
  _type: 'https://in-toto.io/Statement/v1',
  predicateType: 'https://slsa.dev/provenance/v1',
  subject: [{ name: 'app', digest: { sha256: 'ab' } }],
  predicate: JSON.parse(
    '{"count":5,"score":7.0,"ratio":2.5,"list":[1,2,3],"a.b":true,"none":null,"at":"2026-01-01T00:00:00Z","text":"héllo 😀","__proto__":{"deep":1},"neg":-1}',
  ),
};

const TRUE = [
  'predicate.count > 3',
  'predicate.count == 5 && predicate.count >= 5 && predicate.count != 6',
  'predicate.ratio < 3',
  'predicate.neg < 0',
  'predicate.count + 1.0 == 6.0',
  'int(predicate.count) + 1 == 6',
  'size(predicate.list) == 3',
  '2 in predicate.list',
  'predicate.list.exists(x, x > 2) && predicate.list.all(x, x < 4)',
  'predicate["a.b"]',
  '!has(predicate.absent) && has(predicate.count) && predicate.none == null',
  'predicateType.startsWith("https://slsa.dev/") && predicateType.matches("^https://.*v1$")',
  'subject.exists(s, s.digest.sha256 == "ab")',
  'timestamp(predicate.at) < timestamp("2027-01-01T00:00:00Z")',
  'predicate.text.size() == 7',
  'predicate.__proto__.deep == 1',
  'predicate.text.split("l").size() == 3',
  'strings.quote("a") == "\\"a\\""',
  'type(predicate.count) == double',
] as const;

for (const expression of TRUE) {
  test(`${expression} holds`, async () => {
    assert.equal(await runner.evaluate(expression, VARIABLES, { deadlineMs: 5000 }), true);
    const negated = `!(${expression})`;
    assert.equal(await runner.evaluate(negated, VARIABLES, { deadlineMs: 5000 }), false);
  });
}

const FAULTS = [
  { expression: '1 +', expect: 'cel.invalid' },
  { expression: '', expect: 'cel.invalid' },
  { expression: '  ', expect: 'cel.invalid' },
  { expression: 'true // '.padEnd(9000, 'x'), expect: 'cel.invalid' },
  { expression: `${'('.repeat(4000)}1${')'.repeat(4000)}`, expect: 'cel.invalid' },
  { expression: 'predicate.text.startWith("h")', expect: 'cel.invalid' },
  { expression: 'fetch("http://127.0.0.1/")', expect: 'cel.invalid' },
  { expression: 'predicate.list.all(x, foo(x))', expect: 'cel.invalid' },
  { expression: '{"a": [bar(1)]}.a[0] == 1', expect: 'cel.invalid' },
  { expression: '1', expect: 'cel.not-boolean' },
  { expression: '"true"', expect: 'cel.not-boolean' },
  { expression: 'predicate', expect: 'cel.not-boolean' },
  { expression: 'predicate.none', expect: 'cel.not-boolean' },
  { expression: 'predicate.absent == 1', expect: 'cel.failed' },
  { expression: 'predicat.count == 5', expect: 'cel.failed' },
  { expression: 'constructor == 1', expect: 'cel.failed' },
  { expression: 'predicate.constructor == 1', expect: 'cel.failed' },
  { expression: 'predicate.count + 1 == 6', expect: 'cel.failed' },
  { expression: '1 / 0 == 1', expect: 'cel.failed' },
  { expression: 'predicate.text.matches("(")', expect: 'cel.failed' },
  { expression: 'predicate.list[7] == 1', expect: 'cel.failed' },
] as const;

for (const { expression, expect } of FAULTS) {
  test(`${expression.slice(0, 60)} gives ${expect}`, async () => {
    const asked = runner.evaluate(expression, VARIABLES, { deadlineMs: 5000 });
    await assert.rejects(asked, { code: expect });
    if (expect === 'cel.invalid') {
      await assert.rejects(runner.checkExpression(expression), { code: expect });
    } else {
      await runner.checkExpression(expression);
    }
  });
}

const LARGE = { list: Array.from({ length: 3000 }, (_, index) => index) };
const ENDLESS = 'list.all(a, list.all(b, list.all(c, a + b + c >= 0.0)))';

test('an expression that does not end is stopped at its deadline, and the next one is answered', async () => {
  await runner.checkExpression('true');
  const start = performance.now();
  const stuck = runner.evaluate(ENDLESS, LARGE, { deadlineMs: 100 });
  const behind = runner.evaluate('list.size() == 3000', LARGE, { deadlineMs: 5000 });
  await assert.rejects(stuck, { code: 'cel.timeout' });
  assert.ok(performance.now() - start < 3000);
  assert.equal(await behind, true);
});

test('an expression that fills the memory is stopped long before its deadline', async () => {
  const variables = { ...LARGE, text: 'x'.repeat(200_000) };
  const filling = 'list.map(a, text.split("")).size() > 0';
  const start = performance.now();
  const asked = runner.evaluate(filling, variables, { deadlineMs: 120_000 });
  await assert.rejects(asked, { code: 'cel.timeout' });
  assert.ok(performance.now() - start < 60_000);
  assert.equal(await runner.evaluate('true', {}, { deadlineMs: 5000 }), true);
});

test('calls in parallel are each answered with their own result', async () => {
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, n) => runner.evaluate('n < 25', { n }, { deadlineMs: 5000 })),
  );
  assert.deepEqual(
    answers,
    Array.from({ length: 50 }, (_, n) => n < 25),
  );
});

test('a warm worker answers in less than the time that starting one takes', async () => {
  await runner.evaluate('true', {}, { deadlineMs: 5000 });
  const start = performance.now();
  for (let round = 0; round < 200; round++) {
    await runner.evaluate('predicate.count > 3', VARIABLES, { deadlineMs: 5000 });
  }
  assert.ok(performance.now() - start < 2000, `${performance.now() - start} ms for 200`);
});

test('what is no JSON is not evaluated', async () => {
  const at = { at: 1n };
  await assert.rejects(runner.evaluate('true', at, { deadlineMs: 5000 }), { code: 'cel.failed' });
});

test('a runner that was disposed of answers no more', async () => {
  const other = openExpressionRunner();
  await other.checkExpression('true');
  await other[Symbol.asyncDispose]();
  await assert.rejects(other.checkExpression('true'), { code: 'internal.defect' });
});

test('the process ends by itself with an idle worker, and waits for one that works', async () => {
  const script = `
    import { openExpressionRunner } from '@bulla/trust/policy/cel/runner';
    const runner = openExpressionRunner();
    console.log(await runner.evaluate('1 < 2', {}, { deadlineMs: 5000 }));
    runner.evaluate('2 < 1', {}, { deadlineMs: 5000 }).then(console.log);
  `;
  const args = ['--conditions=@bulla/source', '--input-type=module', '-e', script];
  const cwd = join(import.meta.dirname, '../../..');
  const { stdout } = await run(process.execPath, args, { cwd, timeout: 20_000 });
  assert.equal(stdout, 'true\nfalse\n');
});
