import assert from 'node:assert/strict';
import test from 'node:test';
import { parseReference } from '@bulla/trust/oci/reference';
import { canonicalName, type NameAlias, nameReader } from '@bulla/trust/policy/names';

const DIGEST = `sha256:${'a'.repeat(64)}`;

/** The one table of aliases (semantics 7): a gateway, mirrors of it, and a mirror of one repository. */
const ALIASES: readonly NameAlias[] = [
  { from: 'gateway.example/hub', to: 'docker.io' },
  { from: 'gateway.example/quay', to: 'quay.io' },
  { from: 'gateway.example/hub/acme', to: 'registry.example/acme' },
  { from: 'Mirror.example:443', to: 'registry.example/prod' },
  { from: '127.0.0.1:5000/up/stream', to: 'index.docker.io/acme' },
  { from: 'gateway.example/one/app', to: 'registry.example/app' },
];

const NAMES = [
  { text: 'nginx', expect: 'docker.io/library/nginx' },
  { text: 'nginx:1.27', expect: 'docker.io/library/nginx' },
  { text: `nginx@${DIGEST}`, expect: 'docker.io/library/nginx' },
  { text: `nginx:1.27@${DIGEST}`, expect: 'docker.io/library/nginx' },
  { text: 'library/nginx', expect: 'docker.io/library/nginx' },
  { text: 'acme/app', expect: 'docker.io/acme/app' },
  { text: 'docker.io/nginx', expect: 'docker.io/library/nginx' },
  { text: 'Docker.IO/nginx', expect: 'docker.io/library/nginx' },
  { text: 'index.docker.io/nginx', expect: 'docker.io/library/nginx' },
  { text: 'registry-1.docker.io:443/acme/app', expect: 'docker.io/acme/app' },
  { text: 'registry.hub.docker.com/library/nginx', expect: 'docker.io/library/nginx' },
  { text: 'REGISTRY.example:443/prod/app', expect: 'registry.example/prod/app' },
  { text: 'registry.example:8443/prod/app', expect: 'registry.example:8443/prod/app' },
  { text: 'localhost:80/app', expect: 'localhost/app' },
  { text: 'localhost:5000/app', expect: 'localhost:5000/app' },
  { text: '[::1]:5000/app', expect: '[::1]:5000/app' },
  { text: 'gateway.example/hub/nginx', expect: 'docker.io/library/nginx' },
  { text: 'gateway.example/hub/library/nginx:1', expect: 'docker.io/library/nginx' },
  { text: `GATEWAY.example:443/hub/foo/bar@${DIGEST}`, expect: 'docker.io/foo/bar' },
  { text: 'gateway.example/quay/a/b', expect: 'quay.io/a/b' },
  { text: 'gateway.example/hub/acme/app', expect: 'registry.example/acme/app' },
  { text: 'gateway.example/hubris/app', expect: 'gateway.example/hubris/app' },
  { text: 'gateway.example/hub', expect: 'gateway.example/hub' },
  { text: 'gateway.example/local/app', expect: 'gateway.example/local/app' },
  { text: 'mirror.example/app', expect: 'registry.example/prod/app' },
  { text: 'mirror.example:8443/app', expect: 'mirror.example:8443/app' },
  { text: '127.0.0.1:5000/up/stream/x', expect: 'docker.io/acme/x' },
  { text: 'gateway.example/one/app:v1', expect: 'registry.example/app' },
  { text: 'gateway.example/one/app2', expect: 'gateway.example/one/app2' },
  { text: 'oci:layout:v1', expect: 'oci:layout' },
] as const;

const read = nameReader(ALIASES);

for (const { text, expect } of NAMES) {
  test(`${text} is known as ${expect}`, () => {
    assert.equal(read(text), expect);
    assert.equal(canonicalName(text, ALIASES), expect);
    assert.equal(canonicalName(parseReference(text), ALIASES.toReversed()), expect);
  });
}

test('a canonical name is its own name, when no alias leads on from it', () => {
  for (const { expect } of NAMES) {
    if (!expect.startsWith('oci:')) assert.equal(read(expect), expect);
  }
});

const WRONG_ALIASES = [
  { name: 'no host', aliases: [{ from: 'hub', to: 'docker.io' }] },
  { name: 'no host to lead to', aliases: [{ from: 'a.example', to: 'library' }] },
  { name: 'a scheme', aliases: [{ from: 'https://a.example', to: 'docker.io' }] },
  { name: 'a tag', aliases: [{ from: 'a.example/b:v1', to: 'docker.io' }] },
  { name: 'a path in upper case', aliases: [{ from: 'a.example/B', to: 'docker.io' }] },
  { name: 'a slash at its end', aliases: [{ from: 'a.example/', to: 'docker.io' }] },
  { name: 'nothing', aliases: [{ from: '', to: 'docker.io' }] },
  {
    name: 'one name twice',
    aliases: [
      { from: 'a.example', to: 'docker.io' },
      { from: 'A.example:443', to: 'quay.io' },
    ],
  },
];

for (const { name, aliases } of WRONG_ALIASES) {
  test(`an alias with ${name} is refused`, () => {
    assert.throws(() => nameReader(aliases), { code: 'usage.invalid' });
  });
}
