// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of Dockerfiles and Compose files
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import { dockerfileImages } from '@bulla/trust/images/dockerfile';
import fc from 'fast-check';

const accepted: readonly {
  readonly name: string;
  readonly text: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly images: readonly string[];
}[] = [
  { name: 'one FROM', text: 'FROM debian:12\nRUN true', images: ['debian:12'] },
  { name: 'in any case', text: 'from debian:12 as Base\nFrom base\n', images: ['debian:12'] },
  {
    name: 'a platform',
    text: 'FROM --platform=$BUILDPLATFORM golang:1 AS b',
    images: ['golang:1'],
  },
  {
    name: 'stages are none',
    text: 'FROM a AS b\nFROM b\nFROM scratch\nCOPY --from=b / /\nCOPY --from=0 / /',
    images: ['a'],
  },
  {
    name: 'a copied image',
    text: 'FROM a\nCOPY --chown=1 --from=nginx:1 /x /y',
    images: ['a', 'nginx:1'],
  },
  {
    name: 'a mounted image',
    text: 'FROM a\nRUN --mount=type=bind,from=tools:1,target=/t --mount=type=cache,target=/c make',
    images: ['a', 'tools:1'],
  },
  {
    name: 'the frontend',
    text: '# syntax=docker/dockerfile:1\nFROM a',
    images: ['docker/dockerfile:1', 'a'],
  },
  {
    name: 'a comment is no directive after an instruction',
    text: 'FROM a\n# syntax=x',
    images: ['a'],
  },
  { name: 'another escape', text: '# escape=`\nFROM a`\n:1\n', images: ['a:1'] },
  {
    name: 'continued lines, comments and gaps in them',
    text: 'FROM \\\n# why\n\n  a:1 \\\n AS x',
    images: ['a:1'],
  },
  { name: 'arguments with defaults', text: 'ARG V=1\nARG I=app:${V}\nFROM $I', images: ['app:1'] },
  { name: 'given arguments', text: 'ARG V=1\nFROM app:${V}', args: { V: '2' }, images: ['app:2'] },
  { name: 'defaults in place', text: 'ARG V\nFROM app:${V:-3}', images: ['app:3'] },
  { name: 'an alternative', text: 'ARG V=1\nFROM app${V:+-slim}', images: ['app-slim'] },
  { name: 'quotes', text: 'ARG V="1"\nFROM "app:$V"', images: ['app:1'] },
  {
    name: 'an argument of a stage has no say',
    text: 'ARG V=1\nFROM app:$V AS x\nARG V=9\nFROM app:$V',
    images: ['app:1', 'app:1'],
  },
  {
    name: 'a here-document is not read',
    text: 'FROM a\nRUN <<EOF\nFROM evil\nEOF\nCOPY <<"A" <<B /d/\nFROM x\nA\nFROM y\nB\nFROM b',
    images: ['a', 'b'],
  },
  { name: 'the mark of an editor', text: '\uFEFFFROM a\r\nRUN x\r\n', images: ['a'] },
  { name: 'onbuild is another build', text: 'FROM a\nONBUILD COPY --from=x / /', images: ['a'] },
];

const refused: readonly {
  readonly name: string;
  readonly text: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly code: string;
}[] = [
  { name: 'no FROM', text: 'RUN true', code: 'images.dockerfile-malformed' },
  { name: 'nothing', text: '', code: 'images.dockerfile-malformed' },
  { name: 'a FROM of nothing', text: 'FROM', code: 'images.dockerfile-malformed' },
  { name: 'a FROM of two', text: 'FROM a b', code: 'images.dockerfile-malformed' },
  { name: 'an argument without a value', text: 'ARG V\nFROM a:$V', code: 'images.variable-unset' },
  {
    name: 'a value that no ARG declares',
    text: 'FROM a:$V',
    args: { V: '1' },
    code: 'images.variable-unset',
  },
  {
    name: 'an empty value where one is needed',
    text: 'ARG V=\nFROM a:${V:?no}',
    code: 'images.variable-unset',
  },
  {
    name: 'a form that is not known',
    text: 'ARG V=1\nFROM a:${V%x}',
    code: 'images.variable-unset',
  },
  {
    name: 'a copied image that a variable names',
    text: 'FROM a\nCOPY --from=$X / /',
    code: 'images.variable-unset',
  },
  {
    name: 'a here-document without an end',
    text: 'FROM a\nRUN <<EOF\nFROM b',
    code: 'images.dockerfile-malformed',
  },
  {
    name: 'more than a mebibyte',
    text: `FROM a\n${'#'.repeat(1 << 20)}`,
    code: 'images.dockerfile-malformed',
  },
];

describe('images of a Dockerfile', () => {
  for (const { name, text, args, images } of accepted) {
    test(name, () => {
      const found = dockerfileImages(text, args);
      assert.deepEqual(
        found.map(({ reference }) => reference),
        images,
      );
      assert.ok(found.every(({ where }) => /^line \d+ /.test(where)));
    });
  }
  for (const { name, text, args, code } of refused) {
    test(`refuses ${name}`, () => {
      assert.throws(() => dockerfileImages(text, args), { code });
    });
  }
  test('no input throws anything but TrustFault', () => {
    const words = fc.constantFrom(
      'FROM ',
      'a',
      '$V',
      '${V:-',
      '}',
      '\\\n',
      '\n',
      '# escape=`\n',
      'ARG ',
      'COPY --from=',
      '<<E',
      '"',
      'AS ',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(words, fc.string({ unit: 'binary' }))), (parts) => {
        try {
          dockerfileImages(parts.join(''));
        } catch (error) {
          assert.ok(error instanceof TrustFault);
        }
      }),
    );
  });
});
