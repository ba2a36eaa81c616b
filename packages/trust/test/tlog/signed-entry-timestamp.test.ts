import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { verifySignedEntryTimestamp } from '@bulla/trust/tlog/signed-entry-timestamp';
import { parseTrustedRoot } from '@bulla/trust/trust-root/trusted-root';
import { vectorsFolder } from '../../../../test/peers.ts';
import { flipped } from './merkle-tree.ts';
import { logOf, promiseOf, testKey } from './synthetic-log.ts';

const KEY = testKey('ecdsa-p256');
const LOG = logOf(KEY, 1);
const ENTRY = { body: 'e30=', integratedTime: 1_700_000_000, logId: LOG.logId, logIndex: 42 };
const GOOD = {
  ...ENTRY,
  integratedTime: BigInt(ENTRY.integratedTime),
  logIndex: BigInt(ENTRY.logIndex),
  signedEntryTimestamp: promiseOf(KEY, ENTRY),
  log: LOG,
};

const CASES = [
  { name: 'as signed', promise: GOOD, expect: true },
  { name: 'with another body', promise: { ...GOOD, body: 'e31=' }, expect: false },
  { name: 'with a body that breaks out', promise: { ...GOOD, body: '"' }, expect: false },
  { name: 'a second later', promise: { ...GOOD, integratedTime: 1_700_000_001n }, expect: false },
  { name: 'at the next index', promise: { ...GOOD, logIndex: 43n }, expect: false },
  { name: 'of another log', promise: { ...GOOD, logId: flipped(LOG.logId) }, expect: false },
  {
    name: 'with a flipped signature',
    promise: { ...GOOD, signedEntryTimestamp: flipped(GOOD.signedEntryTimestamp, 20) },
    expect: false,
  },
  {
    name: 'without signature',
    promise: { ...GOOD, signedEntryTimestamp: new Uint8Array() },
    expect: false,
  },
  {
    name: 'by another key',
    promise: { ...GOOD, log: logOf(testKey('ecdsa-p256'), 1) },
    expect: false,
  },
];

for (const { name, promise, expect } of CASES) {
  test(`a promise ${name} ${expect ? 'verifies' : 'does not verify'}`, async () => {
    assert.equal(await verifySignedEntryTimestamp(promise), expect);
  });
}

test('an index that canonical JSON would round is refused, though its rounding was signed', async () => {
  const rounded = { ...ENTRY, logIndex: 2 ** 53 };
  const signedEntryTimestamp = promiseOf(KEY, rounded);
  const promise = { ...GOOD, logIndex: 2n ** 53n + 1n, signedEntryTimestamp };
  assert.equal(await verifySignedEntryTimestamp(promise), false);
});

for (const { bundle, trustRoot } of [
  { bundle: 'bundle-provenance.json', trustRoot: 'trusted-root-public-good.json' },
  { bundle: 'bundle-publish.json', trustRoot: 'trusted-root-public-good.json' },
  { bundle: 'dsse.sigstore.json', trustRoot: 'trusted-root-public-good.json' },
  { bundle: 'othername.sigstore.json', trustRoot: 'trusted-root-scaffolding.json' },
]) {
  test(`the promise in ${bundle} verifies`, async (t) => {
    const folder = vectorsFolder(t, 'sigstore-go');
    if (folder === null) return;
    const document = JSON.parse(readFileSync(join(folder, bundle), 'utf8'));
    const [entry] = document.verificationMaterial.tlogEntries;
    const [log] = parseTrustedRoot(readFileSync(join(folder, trustRoot)), 'root').tlogs;
    assert.ok(log);
    const promise = {
      body: entry.canonicalizedBody,
      integratedTime: BigInt(entry.integratedTime),
      logId: Buffer.from(entry.logId.keyId, 'base64'),
      logIndex: BigInt(entry.logIndex),
      signedEntryTimestamp: Buffer.from(entry.inclusionPromise.signedEntryTimestamp, 'base64'),
      log,
    };
    assert.equal(await verifySignedEntryTimestamp(promise), true);
  });
}
