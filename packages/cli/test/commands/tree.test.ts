import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bulla, vector } from './run.ts';

const INDEX = 'sha256:dc3e1f22a0e750c1b9dba57b955344af38d4c697839fbd02f3d2183b7fc0635e';

test('tree draws each platform with what is attached to it, and says that nothing is verified', async () => {
  const run = await bulla(['tree', `oci:${vector('oci/cosign-multiarch')}:recursive`]);
  assert.equal(run.code, 0, run.err);
  const lines = run.out.trimEnd().split('\n');
  assert.match(lines[0] ?? '', new RegExp(`@${INDEX}  index$`));
  assert.equal(lines.filter((line) => line.includes('signature    sigstore-bundle')).length, 3);
  assert.match(run.out, /├─ linux\/amd64 {2}sha256:/);
  assert.match(run.out, /└─ linux\/arm64 {2}sha256:/);
  assert.equal(lines.at(-1), 'nothing of this is verified: `bulla verify` does that');
});

test('tree as JSON says the way by which referrers were found', async () => {
  const layout = `oci:${vector('oci/cosign-fallback-tag.tar')}:both`;
  const run = await bulla(['tree', layout, '-o', 'json']);
  assert.equal(run.code, 0, run.err);
  const document = JSON.parse(run.out);
  assert.equal(document.verified, false);
  assert.equal(document.root.referrersBy, 'tag');
  assert.deepEqual(
    document.root.attached.map((entry: { kind: string; format: string }) => [
      entry.kind,
      entry.format,
    ]),
    [
      ['signature', 'sigstore-bundle'],
      ['signature', 'sigstore-bundle'],
    ],
  );
});

test('tree of what is not there is refused with its code', async () => {
  const run = await bulla(['tree', `oci:${vector('oci/cosign-multiarch')}:nowhere`]);
  assert.equal(run.code, 1);
  assert.match(run.err, /\[artifact\.not-found\]/);
});
