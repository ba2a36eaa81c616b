import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import { manifestImages } from '@bulla/trust/images/manifest-file';

const POD = 'apiVersion: v1\nkind: Pod\nmetadata: { name: a }\n';
const GOOD = `${POD}spec:\n  containers:\n    - name: a\n      image: good\n`;
const EVIL = '{ name: b, image: evil.example/x }';

/**
 * Files by somebody who wants the gate to overlook `evil.example/x`, which kubectl or Compose run. Each
 * is refused as unreadable, or the image is found. kubectl 1.32 was seen to read each of its own so.
 */
const HIDING: readonly { readonly name: string; readonly text: string }[] = [
  {
    name: 'in a merge behind the key, which wins for kubectl',
    text: `x: &e { image: evil.example/x }\n${GOOD}      <<: *e\n`,
  },
  {
    name: 'in a second merge, which wins for kubectl',
    text: `x: [&g { image: good }, &e { image: evil.example/x }]\n${POD}spec:\n  containers:\n    - name: a\n      <<: *g\n      <<: *e\n`,
  },
  {
    name: 'in a merge of a merge',
    text: `x: [&e { image: evil.example/x }, &f { <<: *e }]\n${GOOD}      <<: [*f]\n`,
  },
  {
    name: 'in a merge with the tag of one',
    text: `x: &e { image: evil.example/x }\n${GOOD}      !!merge <<: *e\n`,
  },
  {
    name: 'in a merge behind the key, which an alias names',
    text: `x: [&k image, &e { image: evil.example/x }]\n${POD}spec:\n  containers:\n    - name: a\n      *k : good\n      <<: *e\n`,
  },
  {
    name: 'in an object of JSON that is the key of a mapping, by which kubectl takes it all for JSON',
    text: `{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"image":"evil.example/x"}]}}: {}\n---\n${GOOD}`,
  },
  {
    name: 'in the items of what is no List',
    text: `${GOOD}items:\n  - apiVersion: v1\n    kind: Pod\n    spec: { containers: [${EVIL}] }\n`,
  },
  {
    name: 'in the items of what is no List, without their kind',
    text: `${GOOD}items:\n  - spec: { containers: [${EVIL}] }\n`,
  },
  ...['\u0085', '\u2028', '\u2029', '\r'].map((end) => ({
    name: `in a comment that ${JSON.stringify(end)} ends for kubectl`,
    text: `${GOOD}    #${end}    - ${EVIL}\n`,
  })),
  {
    name: 'in a document whose first key follows the mark of an encoding',
    text: `${GOOD}---\n\uFEFFkind: Pod\napiVersion: v1\nspec: { containers: [${EVIL}] }\n`,
  },
  {
    name: 'in UTF-16, which kubectl reads by its mark',
    text: `${Buffer.from([0xff, 0xfe]).toString('utf8')}${Buffer.from(GOOD, 'utf16le').toString('utf8')}\n---\n${GOOD}`,
  },
  {
    name: 'in a Job of another group',
    text: `${GOOD}---\napiVersion: batch.volcano.sh/v1alpha1\nkind: Job\nmetadata: { name: j }\nspec: { tasks: [{ template: { spec: { containers: [${EVIL}] } } }] }\n`,
  },
  {
    name: 'in the files that the second document of a Compose file includes',
    text: 'services: { a: { image: good } }\n---\ninclude: [evil.yaml]\n',
  },
  {
    name: 'as the image of a service that Compose builds where it cannot pull',
    text: 'services: { a: { image: evil.example/x, build: . } }',
  },
  {
    name: 'behind an empty policy of pulling',
    text: 'services: { a: { image: evil.example/x, build: ., pull_policy: } }',
  },
];

describe('an image that a Kubernetes or Compose file hides', () => {
  for (const { name, text } of HIDING) {
    test(`is found or refused: ${name}`, () => {
      let found: readonly string[];
      try {
        found = manifestImages(text, 'f.yaml', () => undefined).images.map(
          (image) => image.reference,
        );
      } catch (error) {
        assert.ok(error instanceof TrustFault && error.code.startsWith('images.'));
        return;
      }
      assert.ok(found.includes('evil.example/x'), `found ${found.join(', ')}`);
    });
  }

  test('what an unknown kind names beside an image volume is noted', () => {
    const spec =
      'spec: { image: evil.example/x, containers: [{ image: a }], volumes: [{ image: { reference: b } }] }';
    const { notes } = manifestImages(`kind: Agent\n${spec}\n`, 'f.yaml', () => undefined);
    assert.equal(notes.length, 1);
  });

  test('honest files are read: a mark at their beginning, other line ends, merges before keys', () => {
    const text = `\uFEFFx: &e { image: base, name: n }\n${POD}spec: { containers: [{ <<: *e, image: good }] }\n`;
    const { images } = manifestImages(text.replaceAll('\n', '\r\n'), 'f.yaml', () => undefined);
    assert.deepEqual(
      images.map(({ reference }) => reference),
      ['good'],
    );
  });
});
