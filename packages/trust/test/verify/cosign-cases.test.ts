import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { TrustFault } from '../../src/fault/fault.ts';
import { renderFinding } from '../../src/finding/render-text.ts';
import { type CosignCase, cosignCases, runCase } from './cosign-cases.ts';

/** Where Bulla's verdict differs from cosign's; each stands with its reason in docs/differences.md. */
const DIFFERENCES: Readonly<Record<string, 'accept' | 'reject'>> = {
  // Able: the key's own digest is tried where cosign insists on SHA-256.
  'legacy-key-p384': 'accept',
  'legacy-key-p521': 'accept',
  'legacy-key-ed25519': 'accept',
  'bundle-key-tlog-p384': 'accept',
  'bundle-key-nolog-p384': 'accept',
  'bundle-key-tlog-p521': 'accept',
  'bundle-key-nolog-p521': 'accept',
  'blob-key-p384': 'accept',
  // Able: a message digest is a hint, and the file itself was at hand.
  'blob-edit-nodigest': 'accept',
  // Strict.
  'keyless-root-log-expired-window': 'reject',
  'keyless-identity-regexp-unanchored': 'reject',
  'tamper-proof-logindex': 'reject',
  'tamper-referrer-artifacttype': 'reject',
  'legacy-tamper-type-atomic': 'reject',
  'statement-provenance-as-signature': 'reject',
  'blob-attest-as-signature': 'reject',
};

async function outcomeOf(entry: CosignCase): Promise<{ outcome: string; tree: string }> {
  try {
    const { finding } = await runCase(entry);
    return { outcome: finding.outcome, tree: renderFinding(finding).join('\n') };
  } catch (error) {
    assert.ok(error instanceof TrustFault, String(error));
    return { outcome: 'fail', tree: `${error.code}: ${error.message}` };
  }
}

const cases = await cosignCases();

test('the fixtures hold every cosign case', () => {
  assert.equal(cases.length, 184);
  for (const id of Object.keys(DIFFERENCES)) {
    assert.ok(
      cases.some((entry) => entry.id === id),
      `no case ${id}`,
    );
  }
});

test('docs/differences.md says each difference, and each is one', async () => {
  const path = new URL('../../../../docs/differences.md', import.meta.url);
  const page = await readFile(path, 'utf8');
  for (const [id, verdict] of Object.entries(DIFFERENCES)) {
    assert.ok(page.includes(`\n| \`${id}\` |`), id);
    assert.notEqual(cases.find((entry) => entry.id === id)?.expected, verdict, id);
  }
});

for (const entry of cases) {
  const expected = DIFFERENCES[entry.id] ?? entry.expected;
  test(`${entry.id}: ${expected} (${entry.reason})`, async () => {
    const { outcome, tree } = await outcomeOf(entry);
    assert.equal(outcome, expected === 'accept' ? 'pass' : 'fail', tree);
  });
}
