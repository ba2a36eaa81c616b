import assert from 'node:assert/strict';
import test from 'node:test';
import { formatPolicies } from '@bulla/trust/policy/format';
import { parsePolicies } from '@bulla/trust/policy/parse';
import fc from 'fast-check';
import { ACCEPTED, SMALL } from './policy-texts.ts';

const WRITTEN = `# Who may sign

# the kind
kind:   TrustPolicy
apiVersion: bulla.dev/v1   # the version
spec:
    # what must hold
    require:
      signed: {of: [dev],   atLeast: 1}

    # who
    authorities:
        # the developers
        zoe: { key: {ref: zoe.pub} }
        dev:
            key: {ref: "dev.pub"}   # in the repository
    images:
    # the images
    - glob: '**'  # everything
metadata: {name: written}
# the end
---
# another one
${SMALL}
---
# nothing here
`;

const FORMATTED = `# Who may sign

apiVersion: bulla.dev/v1 # the version
# the kind
kind: TrustPolicy
metadata: { name: written }
spec:
  images:
    # the images
    - glob: '**' # everything

  # who
  authorities:
    # the developers
    zoe: { key: { ref: zoe.pub } }
    dev:
      key: { ref: "dev.pub" } # in the repository
  # what must hold
  require:
    signed: { atLeast: 1, of: [dev] }

# the end
---
# another one
${SMALL}---
# nothing here
`;

test('a file is put into its one form with all its comments', () => {
  assert.equal(formatPolicies(WRITTEN, 'a.yaml'), FORMATTED);
});

for (const { name, text } of [...ACCEPTED, { name: 'comments', text: WRITTEN }]) {
  test(`a file of ${name} says after formatting what it said before, and is formatted once`, () => {
    const once = formatPolicies(text, 'a.yaml');
    assert.equal(formatPolicies(once, 'a.yaml'), once);
    assert.deepEqual(
      parsePolicies(Buffer.from(once), 'a').policies,
      parsePolicies(Buffer.from(text), 'a').policies,
    );
  });
}

test('a file of JSON stays JSON, in the order of the documentation', () => {
  const text = '{"kind": "TrustPolicy", "apiVersion": "bulla.dev/v1", "__proto__": 1}';
  const once = formatPolicies(text, 'a.json');
  assert.equal(
    once,
    '{\n  "apiVersion": "bulla.dev/v1",\n  "kind": "TrustPolicy",\n  "__proto__": 1\n}\n',
  );
  assert.equal(formatPolicies(once, 'a.json'), once);
});

const REFUSED = [
  { name: 'what is not YAML', file: 'a.yaml', text: 'a: [' },
  { name: 'a key twice', file: 'a.yaml', text: `${SMALL}kind: TrustPolicy\n` },
  { name: 'an alias', file: 'a.yaml', text: 'a: &x 1\nb: *x\n' },
  { name: 'two documents of JSON', file: 'a.json', text: '{}\n---\n{}\n' },
  { name: 'an empty file of JSON', file: 'a.json', text: '' },
];

for (const { name, file, text } of REFUSED) {
  test(`${name} is not formatted`, () => {
    assert.throws(() => formatPolicies(text, file), { code: 'policy.malformed' });
  });
}

const line = fc.constantFrom(
  ...['# c', '', '  # c', 'spec:', '  images:', '  - a: 1 # d', '    # e', 'kind: x', 'metadata:'],
  ...[
    '  require:',
    '    signed: # f',
    '      of: [a,',
    '        # g',
    '        b]',
    '  tree: |',
    '    x',
  ],
  ...[
    '---',
    'apiVersion: "1"',
    '  name: {b: 1, a: 2} # h',
    '  mode: >-',
    '    folded',
    '    text',
    '    ',
  ],
);

test('a file of which a comment would be lost is left as it is', () => {
  for (const text of ['spec:\n# a\n# b\n---\n', 'a: 1\nspec:\n# a\n# b\n---\n']) {
    assert.throws(() => formatPolicies(text, 'a.yaml'), { code: 'policy.malformed' });
  }
  // Without the mark behind them they are kept.
  assert.match(formatPolicies('spec:\n# a\n# b\n', 'a.yaml'), /# a\n.*# b/);
});

test('a mark of an encoding at the beginning makes no other file of it', () => {
  for (const text of ['---="a"\n', '- b\n', 'c: d\n']) {
    assert.equal(
      formatPolicies(`\uFEFF${text}`, 'policy.yaml'),
      formatPolicies(text, 'policy.yaml'),
    );
  }
});

test('formatting again changes nothing, and no input throws but what is not YAML', () => {
  let formatted = 0;
  fc.assert(
    fc.property(fc.array(line, { maxLength: 14 }), (lines) => {
      let once: string;
      try {
        once = formatPolicies(`${lines.join('\n')}\n`, 'a.yaml');
      } catch (error) {
        assert.equal(Object(error).code, 'policy.malformed');
        return;
      }
      formatted++;
      assert.equal(formatPolicies(once, 'a.yaml'), once);
      const marks = (text: string) => text.match(/#/g)?.length ?? 0;
      assert.equal(marks(once), marks(lines.join('\n')), 'a comment is lost');
    }),
    { numRuns: 3000 },
  );
  assert.ok(formatted > 100);
});
