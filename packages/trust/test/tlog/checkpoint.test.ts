import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { encodeBase64 } from '@bulla/trust/bytes/base64';
import { TrustFault } from '@bulla/trust/fault/fault';
import { parseCheckpoint, verifyCheckpoint } from '@bulla/trust/tlog/checkpoint';
import type { LogKey } from '@bulla/trust/tlog/log-key';
import { parseNote } from '@bulla/trust/tlog/note';
import { parseTrustedRoot } from '@bulla/trust/trust-root/trusted-root';
import fc from 'fast-check';
import { vectorsFolder } from '../../../../test/peers.ts';
import { checkpointText, lineOf, logOf, signatureLine, testKey } from './synthetic-log.ts';

const VECTORS = join(import.meta.dirname, '../../../../vectors');
const ROOT = new Uint8Array(32).fill(7);
const WITNESS = testKey('ed25519');

test('the checkpoint of a Rekor v2 log verifies under its trust root', async () => {
  const root = parseTrustedRoot(
    readFileSync(join(VECTORS, 'cosign/trust/trusted_root.json')),
    'root',
  );
  const [log] = root.tlogs;
  assert.ok(log);
  const checkpoint = readFileSync(join(VECTORS, 'rekor-tiles/checkpoint'), 'utf8');
  const answer = await verifyCheckpoint({ checkpoint, log });
  assert.equal(answer.finding.outcome, 'pass');
  assert.equal(answer.checkpoint?.size, 303n);
  assert.equal(answer.checkpoint?.origin, '127.0.0.1');
});

for (const { name, bundle, trustRoot } of [
  {
    name: 'the public Rekor v1 log',
    bundle: 'sigstore.js@2.0.0-provenance.sigstore.json',
    trustRoot: 'trusted-root-public-good.json',
  },
  {
    name: 'a Rekor v1 log that signs as another host than its own',
    bundle: 'othername.sigstore.json',
    trustRoot: 'trusted-root-scaffolding.json',
  },
]) {
  test(`the checkpoint of ${name} verifies under its trust root`, async (t) => {
    const folder = vectorsFolder(t, 'sigstore-go');
    if (folder === null) return;
    const document = JSON.parse(readFileSync(join(folder, bundle), 'utf8'));
    const checkpoint =
      document.verificationMaterial.tlogEntries[0].inclusionProof.checkpoint.envelope;
    const [log] = parseTrustedRoot(readFileSync(join(folder, trustRoot)), 'root').tlogs;
    assert.ok(log);
    const { finding } = await verifyCheckpoint({ checkpoint, log });
    assert.equal(finding.outcome, 'pass', finding.says);
  });
}

for (const kind of ['ecdsa-p256', 'ecdsa-p384', 'ed25519', 'rsa-2048'] as const) {
  test(`a checkpoint by an ${kind} key verifies`, async () => {
    const key = testKey(kind);
    const text = checkpointText('log.example', 5, ROOT);
    const checkpoint = `${text}\n${signatureLine(text, 'log.example', key)}`;
    const answer = await verifyCheckpoint({ checkpoint, log: logOf(key, 2) });
    assert.equal(answer.finding.outcome, 'pass', answer.finding.says);
    assert.equal(answer.checkpoint?.size, 5n);
  });
}

const KEY = testKey('ed25519');
const V2 = logOf(KEY, 2);
const V1_KEY = testKey('ecdsa-p256');
const V1 = logOf(V1_KEY, 1);
const TEXT = checkpointText('log.example', 5, ROOT);
const GOOD = signatureLine(TEXT, 'log.example', KEY);
const HINT = V2.logId.subarray(0, 4);
const V1_TEXT = checkpointText('rekor-7f - 123', 5, ROOT);
const OTHER_TEXT = checkpointText('other.example', 5, ROOT);

const CASES: readonly {
  name: string;
  checkpoint: string;
  log?: LogKey;
  expect: string;
}[] = [
  { name: 'one signature', checkpoint: `${TEXT}\n${GOOD}`, expect: 'pass' },
  {
    name: 'witnesses before and after the log',
    checkpoint: `${TEXT}\n${signatureLine(TEXT, 'w.example', WITNESS)}${GOOD}${lineOf('x', HINT, ROOT)}`,
    expect: 'pass',
  },
  {
    name: 'another key under the log’s name',
    checkpoint: `${TEXT}\n${signatureLine(TEXT, 'log.example', WITNESS)}${GOOD}`,
    expect: 'pass',
  },
  {
    name: 'extension lines',
    checkpoint: `${TEXT}Timestamp: 1\n\n${signatureLine(`${TEXT}Timestamp: 1\n`, 'log.example', KEY)}`,
    expect: 'pass',
  },
  {
    name: 'a tree id in a Rekor v1 origin',
    checkpoint: `${V1_TEXT}\n${signatureLine(V1_TEXT, 'rekor-7f', V1_KEY)}`,
    log: V1,
    expect: 'pass',
  },
  {
    name: 'a Rekor v1 signature under the whole origin',
    checkpoint: `${V1_TEXT}\n${signatureLine(V1_TEXT, 'rekor-7f - 123', V1_KEY)}`,
    log: V1,
    expect: 'tlog.note-malformed',
  },
  {
    name: 'a tree id in a Rekor v2 origin',
    checkpoint: `${V1_TEXT}\n${signatureLine(V1_TEXT, 'rekor-7f', KEY)}`,
    expect: 'tlog.checkpoint-origin',
  },
  {
    name: 'a second signature of the log that does not verify',
    checkpoint: `${TEXT}\n${GOOD}${lineOf('log.example', HINT, new Uint8Array(64))}`,
    expect: 'tlog.checkpoint-signature',
  },
  {
    name: 'only a witness',
    checkpoint: `${TEXT}\n${signatureLine(TEXT, 'w.example', WITNESS)}`,
    expect: 'tlog.checkpoint-signature',
  },
  {
    name: 'only another key under the log’s name',
    checkpoint: `${TEXT}\n${signatureLine(TEXT, 'log.example', WITNESS)}`,
    expect: 'tlog.checkpoint-signature',
  },
  {
    name: 'the log’s key under another name',
    checkpoint: `${TEXT}\n${signatureLine(TEXT, 'other.example', KEY)}`,
    expect: 'tlog.checkpoint-signature',
  },
  {
    name: 'another origin, signed by the log’s key',
    checkpoint: `${OTHER_TEXT}\n${signatureLine(OTHER_TEXT, 'other.example', KEY)}`,
    expect: 'tlog.checkpoint-origin',
  },
  {
    name: 'another size under the signature',
    checkpoint: `${checkpointText('log.example', 6, ROOT)}\n${GOOD}`,
    expect: 'tlog.checkpoint-signature',
  },
  {
    name: 'a size with a leading zero',
    checkpoint: `log.example\n05\n${encodeBase64(ROOT)}\n\n${GOOD}`,
    expect: 'tlog.note-malformed',
  },
  {
    name: 'a negative size',
    checkpoint: `log.example\n-5\n${encodeBase64(ROOT)}\n\n${GOOD}`,
    expect: 'tlog.note-malformed',
  },
  {
    name: 'a root of 31 bytes',
    checkpoint: `${checkpointText('log.example', 5, ROOT.subarray(1))}\n${GOOD}`,
    expect: 'tlog.note-malformed',
  },
  { name: 'two lines', checkpoint: `log.example\n5\n\n${GOOD}`, expect: 'tlog.note-malformed' },
  {
    name: 'an empty origin',
    checkpoint: `${checkpointText('', 5, ROOT)}\n${GOOD}`,
    expect: 'tlog.note-malformed',
  },
  { name: 'no note at all', checkpoint: '', expect: 'tlog.note-malformed' },
];

for (const { name, checkpoint, log = V2, expect } of CASES) {
  test(`a checkpoint with ${name}: ${expect}`, async () => {
    const answer = await verifyCheckpoint({ checkpoint, log });
    assert.equal(answer.finding.code ?? 'pass', expect, answer.finding.says);
    assert.equal(answer.checkpoint === null, expect !== 'pass');
  });
}

test('each flipped bit of a checkpoint is noticed', async () => {
  const bytes = Buffer.from(`${TEXT}\n${GOOD}`);
  for (let at = 0; at < bytes.length; at++) {
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] ?? 0) ^ 1;
    const { finding } = await verifyCheckpoint({ checkpoint: copy.toString('utf8'), log: V2 });
    assert.equal(finding.outcome, 'fail', `byte ${at}`);
  }
});

test('what is read of a checkpoint writes back to the same text', () => {
  const extension = fc.stringMatching(/^[!-~][ -~]{0,20}$/);
  fc.assert(
    fc.property(
      fc.stringMatching(/^[!-~][ -~]{0,30}$/),
      fc.bigInt({ min: 0n, max: 10n ** 19n - 1n }),
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.array(extension, { maxLength: 5 }),
      (origin, size, root, extensions) => {
        const text = checkpointText(origin, size, root) + extensions.map((e) => `${e}\n`).join('');
        const found = parseCheckpoint(parseNote(`${text}\n${GOOD}`));
        const { rootHash } = found;
        const again = checkpointText(found.origin, found.size, rootHash);
        assert.equal(again + found.extensions.map((e) => `${e}\n`).join(''), text);
      },
    ),
  );
});

test('no text makes the parser throw anything but a fault', () => {
  const lines = fc.array(
    fc.oneof(fc.constantFrom('', '5', encodeBase64(ROOT), 'a - 1'), fc.string()),
  );
  fc.assert(
    fc.property(lines, (found) => {
      try {
        parseCheckpoint({ text: found.join('\n'), signatures: [] });
      } catch (error) {
        assert.ok(error instanceof TrustFault);
      }
    }),
    { numRuns: 1000 },
  );
});
