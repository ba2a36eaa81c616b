import assert from 'node:assert/strict';
import test from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import { compilePattern, type Pattern } from '@bulla/trust/policy/pattern';
import fc from 'fast-check';

const MATCHES = [
  { pattern: { exact: 'a.b' }, yes: ['a.b'], no: ['axb', 'a.b ', 'A.b', ''] },
  {
    pattern: { glob: 'registry.example/prod/*' },
    yes: ['registry.example/prod/app', 'registry.example/prod/'],
    no: ['registry.example/prod/a/b', 'xregistry.example/prod/a', 'registryXexample/prod/a'],
  },
  {
    pattern: { glob: 'registry.example/prod/**' },
    yes: ['registry.example/prod/a/b', 'registry.example/prod/'],
    no: ['registry.example/prod'],
  },
  { pattern: { glob: '**/app' }, yes: ['a/b/app', '/app'], no: ['app', 'a/app/x'] },
  { pattern: { glob: '*' }, yes: ['', 'a', '😀'], no: ['a/b', '/'] },
  { pattern: { glob: '**' }, yes: ['', 'a/b', 'a\nb'], no: [] },
  { pattern: { glob: 'a***b' }, yes: ['a/b', 'ab'], no: ['a'] },
  { pattern: { glob: 'a?[b].(c)' }, yes: ['a?[b].(c)'], no: ['ax[b].(c)', 'a?b.(c)'] },
  {
    pattern: { glob: 'https://github.com/acme/*/.github/workflows/release.yml@refs/tags/v*' },
    yes: ['https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1.2'],
    no: [
      'https://github.com/acme/app/x/.github/workflows/release.yml@refs/tags/v1',
      'https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1/x',
      'https://evil.example/https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1',
    ],
  },
  { pattern: { regex: 'a|bc' }, yes: ['a', 'bc'], no: ['abc', 'ab', 'xa', 'bcx', ''] },
  { pattern: { regex: '^a$|^b$' }, yes: ['a', 'b'], no: ['a|b', 'ab'] },
  {
    pattern: { regex: 'dev@acme\\.example' },
    yes: ['dev@acme.example'],
    no: ['dev@acme.example.evil', 'dev@acmeXexample', 'xdev@acme.example', 'dev@acme.example\n'],
  },
  { pattern: { regex: '.*@acme.example' }, yes: ['a@acme.example'], no: ['a\n@acme.example'] },
  { pattern: { regex: 'a{2,3}' }, yes: ['aa', 'aaa'], no: ['a', 'aaaa'] },
  { pattern: { regex: 'a{2}b{2,}c{0}' }, yes: ['aabb', 'aabbb'], no: ['aab', 'aabbc'] },
  { pattern: { regex: '(?:a|b)+?c??' }, yes: ['a', 'abc'], no: ['c', ''] },
  { pattern: { regex: '[a-c\\d.-]+' }, yes: ['a1.-c'], no: ['d', '\\'] },
  { pattern: { regex: '[^a-c]' }, yes: ['d', '😀', '\n'], no: ['a', 'dd'] },
  { pattern: { regex: '[^\\w]' }, yes: ['-', 'é'], no: ['a', '_'] },
  { pattern: { regex: '\\d\\w\\s\\D\\W\\S' }, yes: ['1a\tb-c'], no: ['٣a bc-'] },
  { pattern: { regex: '\\x41\\x{1F600}\\n\\t\\.' }, yes: ['A😀\n\t.'], no: [] },
  { pattern: { regex: '[\\x{1F600}-\\x{1F64F}]' }, yes: ['😀'], no: ['\ud83d', '\ude00'] },
  { pattern: { regex: '.' }, yes: ['😀', 'a', '\r'], no: ['\n', '', 'ab'] },
  {
    pattern: { regex: '(?i)acme[a-c][^x]' },
    yes: ['ACMEb1', 'acmeBy'],
    no: ['acmebX', 'acmebx', 'acmedy'],
  },
  { pattern: { regex: '(?i)k' }, yes: ['k', 'K'], no: ['\u212a'] },
  { pattern: { regex: 'a()|' }, yes: ['a', ''], no: ['b'] },
  { pattern: { regex: 'a^b' }, yes: [], no: ['ab', 'a^b'] },
  { pattern: { regex: 'a$b' }, yes: [], no: ['ab', 'a$b'] },
  { pattern: { regex: '(a*)*b' }, yes: ['b', 'aab'], no: ['a'] },
  { pattern: { regex: '(^a|b)*' }, yes: ['', 'a', 'ab', 'bb'], no: ['ba', 'aa'] },
] as const satisfies readonly {
  readonly pattern: Pattern;
  readonly yes: readonly string[];
  readonly no: readonly string[];
}[];

for (const { pattern, yes, no } of MATCHES) {
  test(`${JSON.stringify(pattern)} is matched whole`, () => {
    const matches = compilePattern(pattern);
    for (const value of yes) assert.equal(matches(value), true, JSON.stringify(value));
    for (const value of no) assert.equal(matches(value), false, JSON.stringify(value));
  });
}

const INVALID = [
  { regex: '(a', at: 1 },
  { regex: 'a)', at: 2 },
  { regex: '[a', at: 1 },
  { regex: 'a[]', at: 3 },
  { regex: '[^]', at: 3 },
  { regex: '[]a]', at: 2 },
  { regex: '*a', at: 1 },
  { regex: 'a**', at: 3 },
  { regex: 'a+*', at: 3 },
  { regex: 'a{2}{3}', at: 5 },
  { regex: 'a*+', at: 3 },
  { regex: 'a{,3}', at: 2 },
  { regex: 'a{3,2}', at: 2 },
  { regex: 'a{1001}', at: 2 },
  { regex: 'a{', at: 2 },
  { regex: 'a}', at: 2 },
  { regex: 'a]', at: 2 },
  { regex: '^*', at: 3 },
  { regex: '(a)\\1', at: 4 },
  { regex: '\\k<a>', at: 1 },
  { regex: '(?=a)', at: 2 },
  { regex: '(?!a)', at: 2 },
  { regex: '(?<=a)b', at: 2 },
  { regex: '(?<n>a)', at: 2 },
  { regex: '(?P<n>a)', at: 2 },
  { regex: '(?i:a)', at: 2 },
  { regex: 'a(?i)', at: 3 },
  { regex: '(?s)a', at: 2 },
  { regex: '\\ba', at: 1 },
  { regex: '\\p{L}', at: 1 },
  { regex: '\\u0041', at: 1 },
  { regex: '\\x4', at: 1 },
  { regex: '\\x{110000}', at: 1 },
  { regex: '\\é', at: 1 },
  { regex: 'a\\', at: 2 },
  { regex: '[z-a]', at: 2 },
  { regex: '[a-\\d]', at: 2 },
  { regex: '[\\d-z]', at: 2 },
  { regex: '[a-c-e]', at: 5 },
  { regex: '[[:alpha:]]', at: 2 },
  { regex: '😀(', at: 2 },
] as const;

for (const { regex, at } of INVALID) {
  test(`the expression ${regex} is invalid at character ${at}`, () => {
    assert.throws(
      () => compilePattern({ regex }),
      (error) => {
        assert.ok(error instanceof TrustFault);
        assert.equal(error.code, 'policy.pattern-invalid');
        assert.ok(error.message.endsWith(`at character ${at}`), error.message);
        return true;
      },
    );
  });
}

const OVERSIZED = [
  { name: 'empty', pattern: { regex: '' } },
  { name: 'empty glob', pattern: { glob: '' } },
  { name: 'empty text', pattern: { exact: '' } },
  { name: 'too long', pattern: { regex: 'a'.repeat(3000) } },
  { name: 'nested too deep', pattern: { regex: '('.repeat(500) + ')'.repeat(500) } },
  { name: 'repeating too much', pattern: { regex: '((a{100}){100}){100}' } },
  { name: 'repeating nothing too much', pattern: { regex: '(((){1000}){1000}){1000}' } },
] as const;

for (const { name, pattern } of OVERSIZED) {
  test(`a pattern that is ${name} is invalid, at once`, () => {
    const start = performance.now();
    assert.throws(() => compilePattern(pattern), { code: 'policy.pattern-invalid' });
    assert.ok(performance.now() - start < 200);
  });
}

const CATASTROPHIC = [
  '(a+)+$',
  '(a*)*$',
  '(a|a)*b',
  '(a|aa)+$',
  '^(([a-z])+.)+[A-Z]([a-z])+$',
  '(.*)*x',
  'a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a{16}',
] as const;

for (const regex of CATASTROPHIC) {
  test(`${regex} is matched in milliseconds`, () => {
    const matches = compilePattern({ regex });
    const start = performance.now();
    matches('a'.repeat(50_000));
    matches(`${'a'.repeat(50_000)}!`);
    assert.ok(performance.now() - start < 500, `${performance.now() - start} ms`);
  });
}

test('the largest machine on the longest value still ends soon; a longer value matches nothing', () => {
  const matches = compilePattern({ regex: '(?:a?){990}' });
  assert.equal(matches('a'.repeat(990)), true);
  assert.equal(matches('a'.repeat(991)), false);
  assert.equal(compilePattern({ glob: '**' })('a'.repeat((1 << 16) + 1)), false);
});

/** Random expressions of the subset, in the spelling that JavaScript reads alike under the flag u. */
function expressions(): fc.Arbitrary<string> {
  const set = fc.constantFrom(
    '[ab]',
    '[^a]',
    '[a-c]',
    '[^b-d]',
    '\\d',
    '[^\\n]',
    '[\\da]',
    '[.-]',
    '\\.',
    '[^\\w]',
  );
  const { node } = fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4, depthIdentifier: 'regex' },
      fc.constantFrom('a', 'b', 'c', '1', '-', '😀', '^', '$', ''),
      set,
      fc.tuple(tie('node'), tie('node')).map(([a, b]) => a + b),
      fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(?:${a}|${b})`),
      fc
        .tuple(tie('node'), fc.constantFrom('*', '+', '?', '{2}', '{1,2}', '{0,}', '*?', '+?'))
        .map(([a, sign]) => `(${a})${sign}`),
    ),
  }));
  return node;
}

const values = fc
  .array(fc.constantFrom('a', 'b', 'c', 'd', '1', '-', '.', '_', '😀', 'A'), { maxLength: 8 })
  .map((all) => all.join(''));

test('an expression answers as JavaScript’s RegExp does', () => {
  let yes = 0;
  fc.assert(
    fc.property(
      expressions(),
      fc.array(values, { minLength: 5, maxLength: 10 }),
      (regex, inputs) => {
        fc.pre(regex !== '');
        const matches = compilePattern({ regex });
        const oracle = new RegExp(`^(?:${regex})$`, 'u');
        for (const input of inputs) {
          const expected = oracle.test(input);
          yes += Number(expected);
          assert.equal(matches(input), expected, `${regex} on ${input}`);
        }
      },
    ),
    { numRuns: 2000 },
  );
  assert.ok(yes > 500, `only ${yes} inputs matched`);
});

test('(?i) answers as JavaScript’s flag i does, for ASCII', () => {
  fc.assert(
    fc.property(expressions(), values, (regex, input) => {
      const oracle = new RegExp(`^(?:${regex})$`, 'ui');
      assert.equal(compilePattern({ regex: `(?i)${regex}` })(input), oracle.test(input));
    }),
    { numRuns: 500 },
  );
});

test('a glob answers as the expression that it stands for', () => {
  const globs = fc
    .array(fc.constantFrom('*', '**', '/', 'a', '.', '?', '[', '+'), { minLength: 1, maxLength: 8 })
    .map((all) => all.join(''));
  const names = fc
    .array(fc.constantFrom('/', 'a', '.', '?', '[', '+', '\n'), { maxLength: 8 })
    .map((all) => all.join(''));
  fc.assert(
    fc.property(globs, names, (glob, name) => {
      const source = glob.replace(/\*+|[.?[+/]/g, (sign) =>
        sign === '*' ? '[^/]*' : sign.startsWith('*') ? '[^]*' : `\\${sign}`,
      );
      assert.equal(compilePattern({ glob })(name), new RegExp(`^(?:${source})$`).test(name), glob);
    }),
    { numRuns: 2000 },
  );
});

test('no expression throws anything but a fault', () => {
  const signs = fc
    .array(
      fc.constantFrom(
        '(',
        ')',
        '[',
        ']',
        '{',
        '}',
        '?',
        '*',
        '+',
        '|',
        '\\',
        '^',
        '$',
        '-',
        '.',
        ':',
        'i',
        'x',
        'd',
        '1',
        ',',
        'a',
      ),
      { maxLength: 12 },
    )
    .map((all) => all.join(''));
  fc.assert(
    fc.property(fc.oneof(signs, fc.string({ unit: 'binary' })), fc.string(), (regex, value) => {
      try {
        compilePattern({ regex })(value);
      } catch (error) {
        assert.ok(error instanceof TrustFault, String(error));
      }
    }),
    { numRuns: 3000 },
  );
});
