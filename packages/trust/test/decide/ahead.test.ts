import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decide } from '@bulla/trust/decide';
import type { ArtifactSource } from '@bulla/trust/oci/store';
import type { TreeMode } from '@bulla/trust/policy/document';
import { decideOptions } from '../policy-lab/decide.ts';
import { attested, policyOf, ready, setOf, signed } from '../policy-lab/policy.ts';
import { openLab } from '../sigstore-lab/lab.ts';
import { bundleEvidence, mintBundle, statement } from '../sigstore-lab/mint.ts';
import { keyed } from '../sigstore-lab/question.ts';
import { attachBundle, openRepository, putImage } from '../sigstore-lab/repository.ts';
import { testKey } from '../tlog/synthetic-log.ts';

const lab = openLab();
const KEY = testKey('ecdsa-p256');
const authorities = [ready(keyed(KEY, 'release'))];

function signedImage() {
  const repository = openRepository();
  const image = putImage(repository, 'an image', { tag: 'v1' });
  const shape = { by: KEY, payload: statement(image.digest), logs: [], stampedAt: [] };
  attachBundle(repository, image, bundleEvidence(mintBundle(lab, shape)));
  return { repository, image };
}

test('by its digest an image is answered only after its evidence was asked for', {
  timeout: 10_000,
}, async () => {
  const { repository, image } = signedImage();
  const asked = Promise.withResolvers<void>();
  const source: ArtifactSource = {
    ...repository,
    // Whoever waits for the manifest to look for evidence waits for ever.
    async manifest(tagOrDigest, options) {
      if (tagOrDigest === image.digest) await asked.promise;
      return repository.manifest(tagOrDigest, options);
    },
    referrers(subject, query) {
      asked.resolve();
      return repository.referrers(subject, query);
    },
  };
  const policies = setOf(policyOf({ authorities, require: signed(['release']) }));
  const options = decideOptions({ source, policies, digest: image.digest });
  assert.equal((await decide(options)).decision.outcome, 'admit');
});

describe('nothing is asked for that would not be asked for anyway', () => {
  const CASES: readonly { readonly tree: TreeMode; readonly calls: number }[] = [
    // The image, the list of referrers, the signature's tag, the referrer, its bundle.
    { tree: 'any', calls: 5 },
    { tree: 'named', calls: 5 },
    { tree: 'leaf', calls: 5 },
  ];
  for (const { tree, calls } of CASES) {
    test(`of an image, in mode ${tree}`, async () => {
      const { repository, image } = signedImage();
      const policies = setOf(policyOf({ authorities, require: signed(['release']), tree }));
      const { decision } = await decide(
        decideOptions({ source: repository, policies, digest: image.digest }),
      );
      assert.equal(decision.outcome, 'admit');
      assert.equal(repository.calls.length, calls, repository.calls.join('\n'));
    });
  }

  test('no signature’s tag is, where statements alone are asked for', async () => {
    const { repository, image } = signedImage();
    const require = attested('https://example.dev/review/v1', ['release']);
    const policies = setOf(policyOf({ authorities, require }));
    await decide(decideOptions({ source: repository, policies, digest: image.digest }));
    const tags = repository.calls.filter((call) => /\.(?:sig|att)$/.test(call));
    assert.deepEqual(
      tags.map((call) => call.slice(-4)),
      ['.att'],
    );
  });

  test('what no policy covers is not asked for at all (semantics 19)', async () => {
    const { repository, image } = signedImage();
    const policy = policyOf({ authorities, require: signed(['release']), repositories: [] });
    const { decision } = await decide(
      decideOptions({ source: repository, policies: setOf(policy), digest: image.digest }),
    );
    assert.deepEqual([decision.outcome, repository.calls], ['deny', []]);
  });
});
