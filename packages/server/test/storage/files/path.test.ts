import assert from 'node:assert/strict';
import { isAbsolute, normalize } from 'node:path';
import { test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import fc from 'fast-check';
import { nameOf, pathOf } from '../../../src/storage/files/path.ts';

const CASES: readonly { readonly name: string; readonly path: string }[] = [
  { name: 'tags/app/v1.0', path: 'tags/app/v1.0=' },
  { name: 'app:web/sha256:ab', path: 'app%3Aweb/sha256%3Aab=' },
  { name: '..', path: '%2E.=' },
  { name: '../../etc/passwd', path: '%2E./%2E./etc/passwd=' },
  { name: '.hidden', path: '%2Ehidden=' },
  { name: 'a\\b\0', path: 'a%5Cb%00=' },
  { name: 'x'.repeat(201), path: `${'x'.repeat(200)}+/x=` },
];

for (const { name, path } of CASES) {
  test(`${JSON.stringify(name.slice(0, 20))} lies at ${path.slice(0, 30)}`, () => {
    assert.equal(pathOf(name), path);
    assert.equal(nameOf(path), name);
  });
}

test('no name throws anything but TrustFault, leaves the folder, or meets another', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (name) => {
      let path: string;
      try {
        path = pathOf(name);
      } catch (error) {
        assert.ok(error instanceof TrustFault && error.code === 'storage.name-invalid');
        return;
      }
      assert.equal(nameOf(path), name);
      assert.equal(normalize(path), path);
      assert.ok(!isAbsolute(path));
      for (const piece of path.split('/')) {
        assert.match(piece, /^(?!\.)[A-Za-z0-9_.%+=-]{1,202}$/);
      }
    }),
    { numRuns: 2000 },
  );
});

test('a path that pathOf did not make has no name', () => {
  for (const path of ['a', 'a=b=x', '%2e=', 'a%=', 'ä=', '=', 'a+=', '.a=']) {
    assert.equal(nameOf(path), null, path);
  }
});
