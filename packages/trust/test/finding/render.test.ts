import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allOf, anyOf } from '@bulla/trust/finding/combine';
import { failed, inconclusive, passed, skipped } from '@bulla/trust/finding/finding';
import { failingLeaves, findingJson, verdictJson } from '@bulla/trust/finding/render-json';
import { renderFinding } from '@bulla/trust/finding/render-text';
import { exitCodeOf } from '@bulla/trust/finding/verdict';

const BAD = failed('signature', 'signature.invalid', 'not by this key', 'RFC 6962 §2.1.1');
const GOOD = passed('statement', 'about this artifact');
const AWAY = inconclusive('find', 'registry.timeout', 'no answer');

test('a tree is drawn with outcomes, clauses and the remedy of what failed', () => {
  const lines = renderFinding(allOf('signed', [GOOD, BAD], 'by nobody'));
  assert.deepEqual(lines, [
    'fail  signed  by nobody',
    '├─ pass  statement  about this artifact',
    '└─ fail  signature  not by this key   (RFC 6962 §2.1.1)',
    '         remedy: Check that the key is the signer’s and that the artifact is the one that was signed.',
  ]);
});

test('a refusal that no child explains has its remedy at the node', () => {
  const finding = {
    ...failed('signed', 'policy.threshold-not-met', 'one of two'),
    because: [GOOD, skipped('timestamp', 'switched off')],
  };
  assert.ok(renderFinding(finding).some((line) => line.includes('remedy: ')));
});

test('nothing below a pass asks to be mended', () => {
  const lines = renderFinding(anyOf('signed', [GOOD, BAD], 'by one'));
  assert.ok(!lines.some((line) => line.includes('remedy')));
});

test('a thousand garbage siblings stay one line, and never hide the pass', () => {
  const garbage = Array.from({ length: 1000 }, () => BAD);
  const lines = renderFinding(anyOf('signed', [...garbage, GOOD], 'by one'));
  assert.ok(lines.length < 40, `${lines.length} lines`);
  assert.ok(lines.some((line) => line.includes('pass  statement')));
  assert.match(lines.at(-1) ?? '', /989 more findings/);
});

test('control characters of foreign text are escaped', () => {
  const [line = ''] = renderFinding(passed('check', 'a\u001b[2Jb\u202ec\nd'));
  assert.equal(line, 'pass  check  a\\u001b[2Jb\\u202ec\\u000ad');
});

test('JSON has every child, and the remedy of each that did not pass', () => {
  const json = findingJson(anyOf('signed', [BAD, AWAY, GOOD], 'by one'));
  assert.equal(json.because?.length, 3);
  const [bad, away, good] = json.because ?? [];
  assert.equal(bad?.code, 'signature.invalid');
  assert.ok(bad?.remedy !== undefined && away?.remedy !== undefined);
  assert.equal(good?.remedy, undefined);
});

test('the failing leaves are what did not pass, and nothing below a pass', () => {
  const finding = allOf('p', [anyOf('q', [GOOD, BAD], 'x'), allOf('r', [BAD, AWAY], 'y')], 'z');
  assert.deepEqual(failingLeaves(finding), [BAD, AWAY]);
  assert.deepEqual(failingLeaves(GOOD), []);
});

test('exit codes follow the outcome', () => {
  assert.equal(exitCodeOf(GOOD), 0);
  assert.equal(exitCodeOf(BAD), 1);
  assert.equal(exitCodeOf(AWAY), 3);
  // Malformed evidence is refused, not wrong use.
  assert.equal(exitCodeOf(failed('x', 'crypto.key-malformed', 'x')), 1);
  assert.equal(exitCodeOf(failed('x', 'internal.defect', 'x')), 4);
});

test('a verdict in JSON', () => {
  const at = new Date('2026-11-21T12:00:00Z');
  const verdict = {
    reference: 'app:v1',
    artifact: 'registry.example/app@sha256:00',
    digest: 'sha256:00',
    covers: [],
    finding: GOOD,
    evidence: ['sha256:11'],
    trustRoot: null,
    validUntil: at,
    at,
    durationMs: 1.23456,
  };
  const json = verdictJson(verdict);
  assert.equal(json.validUntil, '2026-11-21T12:00:00.000Z');
  assert.equal(json.durationMs, 1.23);
  assert.equal(json.outcome, 'pass');
});
