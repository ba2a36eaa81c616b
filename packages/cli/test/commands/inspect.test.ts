import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bulla, vector } from './run.ts';

const CASES = [
  {
    name: 'a file',
    args: [vector('blobs/keyless-ci.sigstore.json')],
    expect: { code: 0, out: /githubWorkflowName\s+release/ },
  },
  {
    name: 'the signatures of an image, a legacy one with its certificate',
    args: [`oci:${vector('oci/cosign-key-legacy')}:keyless-tsa`],
    expect: { code: 0, out: /email dev@acme\.example/ },
  },
  {
    name: 'an image with a broken bundle',
    args: [`oci:${vector('oci/cosign-tampered.tar')}:truncated`],
    expect: { code: 1, out: /code +(json|bundle)\.malformed/ },
  },
  {
    name: 'a file that is none of the kinds',
    args: [vector('blobs/artifact.txt')],
    expect: { code: 1, err: /\[inspect\.unknown\]/ },
  },
  {
    name: 'JSON',
    args: [vector('keys/p256.pub'), '-o', 'json'],
    expect: { code: 0, out: /"kind": "public-key"/ },
  },
];

test('inspect', async (t) => {
  for (const { name, args, expect } of CASES) {
    await t.test(name, async () => {
      const run = await bulla(['inspect', ...args]);
      assert.equal(run.code, expect.code, run.err);
      if ('out' in expect) assert.match(run.out, expect.out ?? /./);
      if ('err' in expect) assert.match(run.err, expect.err ?? /./);
      if (expect.code === 0) assert.match(run.out, /nothing of this is verified/);
    });
  }
});
