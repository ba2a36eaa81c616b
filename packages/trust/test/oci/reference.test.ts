import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import {
  canonicalName,
  formatReference,
  isLoopback,
  isRepositoryName,
  parseReference,
  parseRegistryHost,
  tagOrDigest,
} from '@bulla/trust/oci/reference';
import fc from 'fast-check';

const F64 = 'f'.repeat(64);
const SHA256 = `sha256:${F64}`;
const SHA512 = `sha512:${'f'.repeat(128)}`;

// distribution/reference: TestReferenceParse, normalised as ParseNormalizedNamed does, and
// TestParseRepositoryInfo, TestParseAnyReference, TestNormalizedSplitHostname, TestParseDockerRef.
// `undefined` means refused.
const UPSTREAM: readonly (readonly [string, string | undefined])[] = [
  ['test_com', 'docker.io/library/test_com'],
  ['test.com:tag', 'docker.io/library/test.com:tag'],
  ['test.com:5000', 'docker.io/library/test.com:5000'],
  ['test.com/repo:tag', 'test.com/repo:tag'],
  ['test:5000/repo', 'test:5000/repo'],
  ['test:5000/repo:tag', 'test:5000/repo:tag'],
  [`test:5000/repo@${SHA256}`, `test:5000/repo@${SHA256}`],
  [`test:5000/repo:tag@${SHA256}`, `test:5000/repo:tag@${SHA256}`],
  ['', undefined],
  [':justtag', undefined],
  [`@${SHA256}`, undefined],
  ['repo@sha256:ffffffffffffffffffffffffffffffffff', undefined],
  [`validname@invaliddigest:${F64}`, undefined],
  ['Uppercase:tag', undefined],
  ['test:5000/Uppercase/lowercase:tag', undefined],
  ['lowercase:Uppercase', 'docker.io/library/lowercase:Uppercase'],
  [`domain/${'a'.repeat(256)}:tag`, undefined],
  [
    `${'a/'.repeat(127)}a:tag-puts-this-over-max`,
    `docker.io/${'a/'.repeat(127)}a:tag-puts-this-over-max`,
  ],
  ['aa/asdf$$^/aa', undefined],
  ['sub-dom1.foo.com/bar/baz/quux', 'sub-dom1.foo.com/bar/baz/quux'],
  ['sub-dom1.foo.com/bar/baz/quux:some-long-tag', 'sub-dom1.foo.com/bar/baz/quux:some-long-tag'],
  [
    'b.gcr.io/test.example.com/my-app:test.example.com',
    'b.gcr.io/test.example.com/my-app:test.example.com',
  ],
  ['xn--n3h.com/myimage:xn--n3h.com', 'xn--n3h.com/myimage:xn--n3h.com'],
  [`xn--7o8h.com/myimage:xn--7o8h.com@${SHA256}`, `xn--7o8h.com/myimage:xn--7o8h.com@${SHA256}`],
  ['foo_bar.com:8080', 'docker.io/library/foo_bar.com:8080'],
  ['foo/foo_bar.com:8080', 'docker.io/foo/foo_bar.com:8080'],
  ['192.168.1.1', 'docker.io/library/192.168.1.1'],
  ['192.168.1.1:tag', 'docker.io/library/192.168.1.1:tag'],
  ['192.168.1.1:5000', 'docker.io/library/192.168.1.1:5000'],
  ['192.168.1.1/repo', '192.168.1.1/repo'],
  ['192.168.1.1:5000/repo', '192.168.1.1:5000/repo'],
  ['192.168.1.1:5000/repo:5050', '192.168.1.1:5000/repo:5050'],
  ['[2001:db8::1]', undefined],
  ['[2001:db8::1]:5000', undefined],
  ['[2001:db8::1]:tag', undefined],
  ['[2001:db8::1]/repo', '[2001:db8::1]/repo'],
  ['[2001:db8:1:2:3:4:5:6]/repo:tag', '[2001:db8:1:2:3:4:5:6]/repo:tag'],
  ['[2001:db8::1]:5000/repo', '[2001:db8::1]:5000/repo'],
  ['[2001:db8::1]:5000/repo:tag', '[2001:db8::1]:5000/repo:tag'],
  [`[2001:db8::1]:5000/repo@${SHA256}`, `[2001:db8::1]:5000/repo@${SHA256}`],
  [`[2001:db8::1]:5000/repo:tag@${SHA256}`, `[2001:db8::1]:5000/repo:tag@${SHA256}`],
  ['[2001:db8::]:5000/repo', '[2001:db8::]:5000/repo'],
  ['[::1]:5000/repo', '[::1]:5000/repo'],
  ['[fe80::1%eth0]:5000/repo', undefined],
  ['[fe80::1%@invalidzone]:5000/repo', undefined],
  [`example.com/${'a'.repeat(255)}:tag`, `example.com/${'a'.repeat(255)}:tag`],
  [`example.com/${'a'.repeat(256)}`, undefined],
  // TestValidateReferenceName, TestValidateRemoteName
  ['docker/docker', 'docker.io/docker/docker'],
  ['library/debian', 'docker.io/library/debian'],
  ['debian', 'docker.io/library/debian'],
  ['localhost/library/debian', 'localhost/library/debian'],
  ['localhost/debian', 'localhost/debian'],
  ['docker.io/docker/docker', 'docker.io/docker/docker'],
  ['docker.io/library/debian', 'docker.io/library/debian'],
  ['docker.io/debian', 'docker.io/library/debian'],
  ['index.docker.io/docker/docker', 'docker.io/docker/docker'],
  ['index.docker.io/library/debian', 'docker.io/library/debian'],
  ['index.docker.io/debian', 'docker.io/library/debian'],
  ['127.0.0.1:5000/docker/docker', '127.0.0.1:5000/docker/docker'],
  ['127.0.0.1:5000/debian', '127.0.0.1:5000/debian'],
  ['192.168.0.1:80', 'docker.io/library/192.168.0.1:80'],
  ['192.168.0.1:8/debian', '192.168.0.1:8/debian'],
  ['192.168.0.2:25000/debian', '192.168.0.2:25000/debian'],
  [
    'thisisthesongthatneverendsitgoesonandonandonthisisthesongthatnev',
    'docker.io/library/thisisthesongthatneverendsitgoesonandonandonthisisthesongthatnev',
  ],
  ['[fc00::1]:5000/docker', '[fc00::1]:5000/docker'],
  ['[fc00:1:2:3:4:5:6:7]:5000/library/debian', '[fc00:1:2:3:4:5:6:7]:5000/library/debian'],
  [
    'docker.io/1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a',
    'docker.io/library/1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a',
  ],
  ['https://github.com/docker/docker', undefined],
  ['docker/Docker', undefined],
  ['-docker', undefined],
  ['-docker/docker', undefined],
  ['-docker.io/docker/docker', undefined],
  ['docker///docker', undefined],
  ['docker.io/docker/Docker', undefined],
  ['docker.io/docker///docker', undefined],
  ['[fc00::1]', undefined],
  ['[fc00::1]:5000', undefined],
  ['fc00::1:5000/debian', undefined],
  ['[fe80::1%eth0]:5000/debian', undefined],
  ['[2001:db8:3:4::192.0.2.33]:5000/debian', undefined],
  ['1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a', undefined],
  ['docker-rules/docker', 'docker.io/docker-rules/docker'],
  ['docker---rules/docker', 'docker.io/docker---rules/docker'],
  ['d/docker', 'docker.io/d/docker'],
  ['dock__er/docker', 'docker.io/dock__er/docker'],
  ['docker-/docker', undefined],
  ['-docker-/docker', undefined],
  ['____/____', undefined],
  ['_docker/_docker', undefined],
  ['dock..er/docker', undefined],
  ['dock_.er/docker', undefined],
  ['dock-.er/docker', undefined],
  ['docker/', undefined],
  [
    `${'this_is_not_a_valid_namespace_because_its_lenth_is_greater_than_255_'.repeat(4)}x/docker`,
    undefined,
  ],
  // TestParseRepositoryInfo
  ['localhost/fooo/bar', 'localhost/fooo/bar'],
  ['index.docker.io/fooo/bar', 'docker.io/fooo/bar'],
  ['nonlibrary/ubuntu', 'docker.io/nonlibrary/ubuntu'],
  ['other/library', 'docker.io/other/library'],
  ['127.0.0.1:8000/private/moonbase', '127.0.0.1:8000/private/moonbase'],
  ['example.com:8000/privatebasee', 'example.com:8000/privatebasee'],
  ['index.docker.io/library/ubuntu-12.04-base', 'docker.io/library/ubuntu-12.04-base'],
  ['library/foo/bar', 'docker.io/library/foo/bar'],
  ['store/foo/bar', 'docker.io/store/foo/bar'],
  [`busybox:latest@${SHA256}`, `docker.io/library/busybox:latest@${SHA256}`],
  // TestReferenceRegexp, TestFullNameRegexp, TestDomainRegexp
  ['registry.com:8080/myapp@sha256:badbadbadbad', undefined],
  ['registry.com:8080/myapp:invalid~tag', undefined],
  ['bad_hostname.com:8080/myapp:tag', undefined],
  [`localhost:8080@${SHA256}`, `docker.io/library/localhost:8080@${SHA256}`],
  ['localhost:http/name', undefined],
  ['registry.com:8080/myapp@bad', undefined],
  ['foo.com:http/bar', undefined],
  ['a/a/a/a/', undefined],
  ['a//a/a', undefined],
  ['foo.com/a-/a/a', undefined],
  ['example.com/__underscore/myimage', undefined],
  ['example.com/.dots/myimage', undefined],
  ['example.com/nodouble..dots/myimage', undefined],
  ['docker./docker', undefined],
  ['.docker/docker', undefined],
  ['do..cker/docker', undefined],
  ['do__cker:8080/docker', undefined],
  ['do__cker/docker', 'docker.io/do__cker/docker'],
  [
    'registry.io/foo/project--id.module--name.ver---sion--name',
    'registry.io/foo/project--id.module--name.ver---sion--name',
  ],
  ['Foo/FarB', undefined],
  ['ab-.com/a', undefined],
  ['ab.-com/a', undefined],
  ['[fd00:1:2::3]::5000/a', undefined],
  ['[fd00123123123]:5000/a', undefined],
  ['192.168.1.1:750050/a', undefined],
  ['192.168.1.1:75050/a', undefined],
  // Where Bulla is stricter: a bare word in upper case cannot be told from a Hub namespace.
  ['LOCALDOMAIN/debian', undefined],
  ['Foo/bar', undefined],
  ['Uppercase/lowercase:tag', undefined],
  // Where Bulla is able: sha512 is a registered algorithm.
  [`validname@${SHA512}`, `docker.io/library/validname@${SHA512}`],
];

// Semantics 7: one function, one table of aliases.
const ALIASES: readonly (readonly [string, string])[] = [
  ['alpine', 'docker.io/library/alpine'],
  ['alpine:3', 'docker.io/library/alpine'],
  ['library/alpine', 'docker.io/library/alpine'],
  ['docker.io/alpine', 'docker.io/library/alpine'],
  ['docker.io/library/alpine', 'docker.io/library/alpine'],
  ['DOCKER.IO/library/alpine', 'docker.io/library/alpine'],
  ['docker.io:443/alpine', 'docker.io/library/alpine'],
  ['index.docker.io/alpine', 'docker.io/library/alpine'],
  ['index.docker.io:443/library/alpine', 'docker.io/library/alpine'],
  ['Index.Docker.io/library/alpine', 'docker.io/library/alpine'],
  ['registry-1.docker.io/alpine', 'docker.io/library/alpine'],
  ['registry.hub.docker.com/library/alpine', 'docker.io/library/alpine'],
  ['registry-1.docker.io:0443/library/alpine', 'docker.io/library/alpine'],
  [`registry-1.docker.io/library/alpine@${SHA256}`, 'docker.io/library/alpine'],
  ['Registry.Example/App/x'.toLowerCase(), 'registry.example/app/x'],
  ['Registry.EXAMPLE/app', 'registry.example/app'],
  ['registry.example:443/app', 'registry.example/app'],
  ['registry.example:80/app', 'registry.example:80/app'],
  ['registry.example:05000/app', 'registry.example:5000/app'],
  ['LOCALHOST:80/app', 'localhost/app'],
  ['localhost:443/app', 'localhost:443/app'],
  ['127.0.0.1:80/app', '127.0.0.1/app'],
  ['[0:0:0:0:0:0:0:1]:5000/app', '[::1]:5000/app'],
  ['[2001:DB8::1]:443/app', '[2001:db8::1]/app'],
  // A bare word is a host by its port alone, so the port stays.
  ['registry:443/app', 'registry:443/app'],
  ['registry/app', 'docker.io/registry/app'],
  ['oci:/data/layout:v1', 'oci:/data/layout'],
];

const LAYOUTS: readonly (readonly [string, object | undefined])[] = [
  ['oci:dir', { kind: 'layout', path: 'dir' }],
  ['oci:/a/b:v1', { kind: 'layout', path: '/a/b', tag: 'v1' }],
  [
    'oci:x.tar:registry.example/app:v1',
    { kind: 'layout', path: 'x.tar', tag: 'registry.example/app:v1' },
  ],
  [`oci:x.tar@${SHA256}`, { kind: 'layout', path: 'x.tar', digest: SHA256 }],
  [`oci:x:v1@${SHA256}`, { kind: 'layout', path: 'x', tag: 'v1', digest: SHA256 }],
  ['oci:/home/a@b/x:v1', { kind: 'layout', path: '/home/a@b/x', tag: 'v1' }],
  ['oci:', undefined],
  ['oci::v1', undefined],
  ['oci:x:', undefined],
  ['oci:x:a b', undefined],
  ['oci:x@sha256:ff', undefined],
];

function refused(text: string): void {
  assert.throws(
    () => parseReference(text),
    (error) => error instanceof TrustFault && error.code === 'reference.malformed',
  );
}

describe('references by the distribution grammar', () => {
  for (const [text, expect] of UPSTREAM) {
    it(`${text.slice(0, 90)} → ${expect?.slice(0, 90) ?? 'refused'}`, () => {
      if (expect === undefined) return refused(text);
      const reference = parseReference(text);
      assert.equal(formatReference(reference), expect);
      assert.deepEqual(parseReference(expect), reference);
    });
  }
});

describe('canonical names', () => {
  for (const [text, expect] of ALIASES) {
    it(`${text} is ${expect}`, () => assert.equal(canonicalName(parseReference(text)), expect));
  }
});

/** Other ways to write an address, each of which leads to what has another name (semantics 7). */
const OTHER_ADDRESSES = [
  '127.1:5000/app',
  '127.000.000.001:5000/app',
  '0x7f.1:5000/app',
  '0x7f000001:5000/app',
  '2130706433:5000/app',
  '017700000001:5000/app',
  '[::ffff:7f00:1]:5000/app',
  '[0:0:0:0:0:FFFF:7f00:1]:5000/app',
];

describe('an address that is written otherwise', () => {
  for (const text of OTHER_ADDRESSES) it(`${text} is no other name`, () => refused(text));
});

describe('layout references', () => {
  for (const [text, expect] of LAYOUTS) {
    it(text, () => {
      if (expect === undefined) return refused(text);
      const reference = parseReference(text);
      assert.deepEqual({ ...reference }, expect);
      assert.equal(formatReference(reference), text);
    });
  }
});

describe('what is asked for', () => {
  const cases = [
    { name: 'nothing named in a registry', text: 'alpine', expect: 'latest' },
    { name: 'a tag', text: 'alpine:3', expect: '3' },
    { name: 'the digest decides beside a tag', text: `alpine:3@${SHA256}`, expect: SHA256 },
    { name: 'nothing named in a layout', text: 'oci:x', expect: '' },
  ];
  for (const { name, text, expect } of cases) {
    it(name, () => assert.equal(tagOrDigest(parseReference(text)), expect));
  }
});

describe('loopback', () => {
  const cases = [
    ['localhost', true],
    ['localhost:5000', true],
    ['127.0.0.1:5000', true],
    ['127.9.9.9', true],
    ['[::1]:5000', true],
    ['127.0.0.1.example', false],
    ['localhost.example', false],
    ['127.1', false],
    ['128.0.0.1', false],
  ] as const;
  for (const [host, expect] of cases) it(host, () => assert.equal(isLoopback(host), expect));
});

describe('hosts of login', () => {
  it('are made canonical', () =>
    assert.equal(parseRegistryHost('Registry-1.docker.io:443'), 'docker.io'));
  it('refuse a path', () =>
    assert.throws(() => parseRegistryHost('a.example/x'), { code: 'reference.malformed' }));
});

describe('properties', () => {
  const component = fc.stringMatching(/^[a-z0-9]{1,5}(?:(?:[._]|__|-{1,2})[a-z0-9]{1,5}){0,2}$/);
  const host = fc.stringMatching(
    /^[A-Za-z0-9]{1,6}\.[A-Za-z][A-Za-z0-9]{0,5}(?::[1-9][0-9]{0,3})?$/,
  );
  const tag = fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/));

  it('what parses is written in one canonical way', () => {
    fc.assert(
      fc.property(
        host,
        fc.array(component, { minLength: 1, maxLength: 4 }),
        tag,
        (at, path, label) => {
          const text = `${at}/${path.join('/')}${label === null ? '' : `:${label}`}`;
          const once = formatReference(parseReference(text));
          assert.equal(formatReference(parseReference(once)), once);
        },
      ),
    );
  });

  it('tells the names of repositories', () => {
    for (const name of ['app', 'a/b', 'a__b/c-d.e', 'a'.repeat(255)]) {
      assert.ok(isRepositoryName(name), name);
    }
    for (const name of ['', '/a', 'a/', 'a//b', 'A', 'a___b', '../a', 'a:1', 'a'.repeat(256)]) {
      assert.ok(!isRepositoryName(name), name);
    }
  });

  it('no input throws anything but TrustFault', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.stringMatching(/^(oci:)?[a-zA-Z0-9:@/.[\]-]{0,40}$/)),
        (text) => {
          try {
            const once = formatReference(parseReference(text));
            assert.equal(formatReference(parseReference(once)), once);
          } catch (error) {
            assert.ok(error instanceof TrustFault, String(error));
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
