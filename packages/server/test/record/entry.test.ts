import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalizeJcs } from '@bulla/trust/bytes/jcs';
import type { Finding } from '@bulla/trust/finding/finding';
import fc from 'fast-check';
import { canonicalBody, decisionBody, effectOf } from '../../src/record/entry.ts';
import { findingOf, parseBody } from '../../src/record/parse.ts';
import { indexOf } from '../../src/record/rows.ts';
import { digestNumber, made, openRoom, refused } from './room.ts';

const USED = {
  id: `sha256:${'9'.repeat(64)}`,
  name: 'late-scan',
  kind: 'exception',
  requester: 'dev@acme.example',
  approver: 'sec@acme.example',
  reason: 'the scanner is down',
  expires: new Date('2026-11-24T00:00:00.000Z'),
  policy: 'prod',
  clauses: ['require.all[1]'],
} as const;

test('an entry has all that a decision is recorded with', () => {
  const decision = refused({
    validUntil: new Date(0),
    namespace: 'prod',
    environment: 'eu',
    covers: [digestNumber(4)],
    warnings: ['policy other warns'],
    exceptions: [USED],
  });
  const body = decisionBody(decision, digestNumber(3));
  const { id, finding, ...rest } = body;
  assert.equal(id, decision.decision.id);
  assert.equal(finding.because?.[0]?.says, 'no signature was found');
  assert.deepEqual(rest, {
    kind: 'decision',
    at: '2026-05-01T12:00:00.000Z',
    decidedAt: '2026-05-01T12:00:00.000Z',
    request: { id: 'req-1', remoteAddress: '10.0.0.1', userAgent: 'docker/29' },
    actor: { kind: 'user', id: 'u1', name: 'alice' },
    surface: 'pull',
    namespace: 'prod',
    environment: 'eu',
    reference: 'registry.example/prod/app:v1',
    repository: 'registry.example/prod/app',
    tag: 'v1',
    digest: digestNumber(1),
    covers: [digestNumber(4)],
    outcome: 'deny',
    effect: 'deny',
    code: 'signature.none',
    policies: [{ name: 'prod', hash: digestNumber(100), mode: 'enforce', effect: 'deny' }],
    policySetHash: digestNumber(101),
    trustRootVersion: 'public-good 14',
    evidence: [digestNumber(200)],
    warnings: ['policy other warns'],
    exceptions: [{ ...USED, expires: '2026-11-24T00:00:00.000Z' }],
    cache: 'miss',
    durationMs: 15,
    validUntil: '1970-01-01T00:00:00.000Z',
    dossier: digestNumber(3),
    cut: [],
  });
});

test('a body is canonical JSON, and reads back as it was', () => {
  const body = decisionBody(refused({ covers: [digestNumber(4)], exceptions: [USED] }), null);
  const text = canonicalBody(body);
  assert.deepEqual(parseBody(text, 'a body'), body);
  assert.equal(canonicalizeJcs(JSON.parse(text)), text);
  const unknown = canonicalizeJcs({ ...body, later: 1 });
  assert.deepEqual(parseBody(unknown, 'a body'), body, 'members of a later release are left out');
});

test('the strictest effect counts, and a refusal is deny whoever refused', () => {
  const [policy] = made().decision.policies;
  assert.ok(policy !== undefined);
  const effects = (...all: ('pass' | 'warn' | 'audit' | 'deny')[]) =>
    effectOf(made({ policies: all.map((effect) => ({ ...policy, effect })) }).decision);
  assert.equal(effects(), 'warn', 'what nobody decided about is no pass');
  assert.equal(effects('pass'), 'pass');
  assert.equal(effects('pass', 'audit'), 'audit');
  assert.equal(effects('audit', 'warn', 'pass'), 'warn');
  assert.equal(effectOf(made({ outcome: 'deny', policies: [] }).decision), 'deny');
});

function wide(children: number, depth: number): Finding {
  const leaf = {
    check: 'leaf',
    outcome: 'fail',
    code: 'signature.none',
    says: 'x'.repeat(9000),
  } as const;
  const because =
    depth === 0 ? [] : Array.from({ length: children }, () => wide(children, depth - 1));
  return { ...leaf, needs: 'all', because };
}

function deep(levels: number): Finding {
  const leaf: Finding = { check: 'leaf', outcome: 'fail', code: 'signature.none', says: 'no' };
  return levels === 0 ? leaf : { ...leaf, needs: 'all', because: [deep(levels - 1)] };
}

const HUGE: readonly { readonly name: string; readonly finding: Finding }[] = [
  { name: 'of ten thousand children', finding: wide(10_000, 1) },
  { name: 'of a thousand leaves with long sentences', finding: wide(10, 3) },
  { name: 'of five hundred levels', finding: deep(500) },
];

for (const { name, finding } of HUGE) {
  test(`a tree ${name} is cut, marked and recorded`, async () => {
    await using room = await openRoom();
    const decision = refused({ finding });
    await room.record.keep(decision);
    const found = await room.record.get(decision.decision.id);
    assert.deepEqual(found.decision.cut, ['finding']);
    assert.ok(canonicalBody(found.decision).length < 256 << 10);
    assert.equal(found.decision.code, 'signature.none');
    assert.ok(
      (await room.record.explain(decision.decision.id)).includes('too long, and cut: finding'),
    );
  });
}

test('nothing that a caller or an image can send keeps a decision out of the record', async () => {
  await using room = await openRoom();
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\ud800', '\0', '\u2028', 'x'.repeat(5000), '\udfff'.repeat(600)),
  );
  await fc.assert(
    fc.asyncProperty(text, async (hostile) => {
      const decision = refused(
        {
          reference: hostile,
          repository: hostile,
          tag: hostile,
          digest: hostile,
          namespace: hostile,
          covers: Array.from({ length: 300 }, () => hostile),
          warnings: [hostile],
          exceptions: [
            { ...USED, name: hostile, reason: hostile, approver: hostile, clauses: [hostile] },
          ],
          finding: { check: 'x', outcome: 'fail', says: hostile, code: 'signature.none' },
        },
        {
          actor: { kind: 'user', id: hostile, name: hostile },
          request: { id: hostile, remoteAddress: hostile, userAgent: hostile },
        },
      );
      await room.record.keep(decision);
      const { decision: found } = await room.record.get(decision.decision.id);
      assert.ok(found.cut.includes('covers'));
      await room.record.explain(decision.decision.id);
    }),
    { numRuns: 60 },
  );
  await room.record.head();
  assert.equal((await room.record.verify()).finding.outcome, 'pass');
});

test('no body throws anything but record.entry-malformed', () => {
  const known = canonicalBody(decisionBody(refused(), null));
  const mutated = fc
    .tuple(fc.nat(known.length - 1), fc.string({ maxLength: 3 }))
    .map(([at, put]) => known.slice(0, at) + put + known.slice(at + 1));
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), mutated), (text) => {
      try {
        const body = parseBody(text, 'a body');
        indexOf(body);
        if (body.kind === 'decision') findingOf(body.finding);
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'record.entry-malformed');
      }
    }),
  );
});

test('a code that this release does not know is left out of the explanation only', () => {
  const tree = { check: 'x', outcome: 'fail', says: 'no', code: 'future.reason', remedy: 'Wait.' };
  assert.deepEqual(findingOf(tree), { check: 'x', outcome: 'fail', says: 'no', remedy: 'Wait.' });
});
