import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openRecordKey, RECORD_KEY_FILE } from '../../src/record/key.ts';
import {
  openAnchorNote,
  openHeadNote,
  recordOrigin,
  signAnchorNote,
  signHeadNote,
} from '../../src/record/signed-head.ts';
import { temporaryFolder } from '../storage/rooms.ts';
import { BEGIN, digestNumber, openRoom, recordSigner } from './room.ts';

test('the record key is made once, for its owner only', async () => {
  await using folder = await temporaryFolder();
  const [one, two] = await Promise.all([openRecordKey(folder.path), openRecordKey(folder.path)]);
  const three = await openRecordKey(folder.path);
  assert.equal(one.publicKey.kind, 'ed25519');
  assert.deepEqual([two.publicKey.id, three.publicKey.id], [one.publicKey.id, one.publicKey.id]);
  const path = join(folder.path, RECORD_KEY_FILE);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.match(await readFile(path, 'latin1'), /^-----BEGIN PRIVATE KEY-----/);
});

test('a record key that is damaged is not replaced', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, RECORD_KEY_FILE);
  await writeFile(path, 'damaged');
  await assert.rejects(openRecordKey(folder.path));
  assert.equal(await readFile(path, 'latin1'), 'damaged');
});

test('a key that signs otherwise than the record expects is refused', async () => {
  await using room = await openRoom();
  const signer = await recordSigner();
  const other = { ...signer, algorithm: { ...signer.algorithm, name: 'ed25519ph' as const } };
  assert.throws(() => room.another({ signer: other }), { code: 'crypto.key-unsupported' });
});

for (const host of ['', 'a b', 'a+b', 'a\nb']) {
  test(`no record is named ${JSON.stringify(host)}`, () => {
    assert.throws(() => recordOrigin(host), { code: 'record.head-invalid' });
  });
}

const signer = await recordSigner();
const RECORD = { origin: 'bulla.example:5443/record', keys: [signer.publicKey] };
const HEAD = { seq: 7, hash: digestNumber(7).slice(7), at: new Date(BEGIN) };
const ANCHOR = { ...HEAD, count: 7, from: new Date(0), to: new Date(1) };

test('heads and anchors read back as they were signed, and are not one another', async () => {
  const head = await signHeadNote(signer, RECORD.origin, HEAD);
  assert.deepEqual(await openHeadNote(head, RECORD), HEAD);
  const anchor = await signAnchorNote(signer, RECORD.origin, ANCHOR);
  assert.deepEqual(await openAnchorNote(anchor, RECORD), ANCHOR);
  await assert.rejects(openHeadNote(anchor, RECORD), { code: 'record.head-invalid' });
  await assert.rejects(openAnchorNote(head, RECORD), { code: 'record.anchor-invalid' });
  assert.equal(head.split('\n')[0], RECORD.origin);
});

test('a head that carries more than it should is refused, though the key signed it', async () => {
  for (const at of ['2026-05-01', '']) {
    const odd = { ...HEAD, at: { toISOString: () => at } as Date };
    const note = await signHeadNote(signer, RECORD.origin, odd);
    await assert.rejects(openHeadNote(note, RECORD), { code: 'record.head-invalid' });
  }
  const long = { ...HEAD, at: { toISOString: () => '2026-05-01T00:00:00.000Z\nmore' } as Date };
  const note = await signHeadNote(signer, RECORD.origin, long);
  await assert.rejects(openHeadNote(note, RECORD), { code: 'record.head-invalid' });
});
