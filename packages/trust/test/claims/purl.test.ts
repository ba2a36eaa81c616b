import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePurl, purlCovers } from '@bulla/trust/claims/purl';
import fc from 'fast-check';

const PARSED: readonly {
  readonly text: string;
  readonly expect: readonly (string | null)[] | null;
}[] = [
  {
    text: 'pkg:deb/debian/zlib@1.2?arch=amd64',
    expect: ['deb', 'debian', 'zlib', '1.2', 'arch=amd64'],
  },
  { text: 'pkg:oci/app@sha256%3Aabc', expect: ['oci', null, 'app', 'sha256:abc', ''] },
  { text: 'pkg:npm/%40scope/name@1.0.0', expect: ['npm', '@scope', 'name', '1.0.0', ''] },
  { text: 'pkg:npm/@scope/name', expect: ['npm', '@scope', 'name', null, ''] },
  {
    text: 'pkg:golang/github.com/a/b@v1#sub/path',
    expect: ['golang', 'github.com/a', 'b', 'v1', ''],
  },
  { text: 'PKG:OCI/app', expect: ['oci', null, 'app', null, ''] },
  { text: 'pkg://oci/app', expect: ['oci', null, 'app', null, ''] },
  { text: 'pkg:oci', expect: null },
  { text: 'pkg:/app', expect: null },
  { text: 'pkg:oci/app@%zz', expect: null },
  { text: 'cpe:2.3:a:x', expect: null },
  { text: `pkg:oci/${'a'.repeat(5000)}`, expect: null },
];

for (const { text, expect } of PARSED) {
  test(`a package URL is read: ${text.slice(0, 60)}`, () => {
    const purl = parsePurl(text);
    const found = purl && [
      purl.type,
      purl.namespace,
      purl.name,
      purl.version,
      [...purl.qualifiers].map(([key, value]) => `${key}=${value}`).join('&'),
    ];
    assert.deepEqual(found, expect);
  });
}

const FOUND = 'pkg:deb/debian/zlib@1.2?arch=amd64';
const COVERS: readonly { readonly wide: string; readonly covers: boolean }[] = [
  { wide: FOUND, covers: true },
  { wide: 'pkg:deb/debian/zlib@1.2', covers: true },
  { wide: 'pkg:deb/debian/zlib', covers: true },
  { wide: 'pkg:deb/debian/zlib?arch=amd64', covers: true },
  { wide: 'pkg:deb/debian/zlib?arch=arm64', covers: false },
  { wide: 'pkg:deb/debian/zlib@1.3', covers: false },
  { wide: 'pkg:deb/debian/zlib1', covers: false },
  { wide: 'pkg:deb/zlib', covers: false },
  { wide: 'pkg:rpm/debian/zlib', covers: false },
];

for (const { wide, covers } of COVERS) {
  test(`${wide} ${covers ? 'names' : 'does not name'} ${FOUND}`, () => {
    const [general, found] = [parsePurl(wide), parsePurl(FOUND)];
    assert.ok(general !== null && found !== null);
    assert.equal(purlCovers(general, found), covers);
  });
}

test('no text makes the reader of package URLs throw', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      parsePurl(text);
      parsePurl(`pkg:oci/${text}`);
    }),
  );
});
