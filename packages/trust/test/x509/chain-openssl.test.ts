import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import { verifyChain } from '@bulla/trust/x509/chain';
import { peer, requirePeer } from '../../../../test/peers.ts';
import {
  CA,
  type Issued,
  type OpensslCa,
  opensslCa,
  readIssued,
  SIGNER,
  STAMPER,
} from './openssl-ca.ts';

interface Chain {
  readonly leaf: Issued;
  readonly intermediates: readonly Issued[];
  readonly anchor: Issued;
}

interface Case {
  readonly name: string;
  readonly build: (ca: OpensslCa, root: Issued, middle: Issued) => Chain;
  readonly usage?: 'codeSigning' | 'timeStamping';
  /** Seconds from the leaf's start to the time that counts. */
  readonly afterS?: number;
  /** `pass` or the code. */
  readonly expect: string;
  /** Where OpenSSL's `verify` differs, because it has no such check. */
  readonly opensslAccepts?: boolean;
}

const NO_SIGN = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,cRLSign'];
const DAY_S = 86_400;

/** Leaf of `extensions` under the usual intermediate. */
function leafOf(name: string, extensions: readonly string[]) {
  return (ca: OpensslCa, root: Issued, middle: Issued): Chain => ({
    leaf: ca.issue({ name, by: middle, extensions }),
    intermediates: [middle],
    anchor: root,
  });
}

/** Leaf under an intermediate of `extensions`. */
function under(name: string, extensions: readonly string[], leaf: readonly string[] = SIGNER) {
  return (ca: OpensslCa, root: Issued): Chain => {
    const middle = ca.issue({ name: `${name}-ca`, by: root, extensions });
    return {
      leaf: ca.issue({ name, by: middle, extensions: leaf }),
      intermediates: [middle],
      anchor: root,
    };
  };
}

const CASES: readonly Case[] = [
  { name: 'a good chain', build: leafOf('good', SIGNER), expect: 'pass' },
  {
    name: 'a good timestamp chain',
    build: leafOf('stamp', STAMPER),
    usage: 'timeStamping',
    expect: 'pass',
  },
  {
    name: 'an RSA leaf under an EC CA',
    build: (ca, root, middle) => ({
      leaf: ca.issue({ name: 'rsa', by: middle, extensions: SIGNER, keyType: 'rsa' }),
      intermediates: [middle],
      anchor: root,
    }),
    expect: 'pass',
  },
  {
    name: 'the leaf directly under the anchor',
    build: (ca, root) => ({
      leaf: ca.issue({ name: 'direct', by: root, extensions: SIGNER }),
      intermediates: [],
      anchor: root,
    }),
    expect: 'pass',
  },
  { name: 'expired', build: leafOf('expired', SIGNER), afterS: 11 * DAY_S, expect: 'x509.expired' },
  {
    name: 'not yet valid',
    build: leafOf('early', SIGNER),
    afterS: -60,
    expect: 'x509.not-yet-valid',
  },
  {
    name: 'the intermediate is missing',
    build: (ca, root, middle) => ({
      leaf: ca.issue({ name: 'gap', by: middle, extensions: SIGNER }),
      intermediates: [],
      anchor: root,
    }),
    expect: 'x509.untrusted',
  },
  {
    name: 'another root of the same name',
    build: (ca, _root, middle) => ({
      leaf: ca.issue({ name: 'other', by: middle, extensions: SIGNER }),
      intermediates: [middle],
      anchor: ca.issue({ name: 'root-again', subject: '/CN=root', extensions: CA }),
    }),
    expect: 'x509.untrusted',
  },
  {
    name: 'the issuer has the key and another name',
    build: (ca, root) => {
      const renamed = ca.issue({ name: 'renamed', keyOf: root, extensions: CA });
      const leaf = ca.issue({ name: 'misnamed', by: renamed, extensions: SIGNER });
      return { leaf, intermediates: [], anchor: root };
    },
    expect: 'x509.untrusted',
  },
  {
    name: 'the issuer is no CA',
    build: under('under-leaf', [
      'basicConstraints=critical,CA:FALSE',
      'keyUsage=critical,keyCertSign,digitalSignature',
    ]),
    expect: 'x509.not-a-ca',
  },
  {
    name: 'the issuer has no basic constraints',
    build: under('no-bc', ['keyUsage=critical,keyCertSign']),
    expect: 'x509.not-a-ca',
  },
  {
    name: 'the issuer may not sign certificates',
    build: under('no-sign', NO_SIGN),
    expect: 'x509.usage',
  },
  {
    name: 'the path length is exceeded',
    build: (ca, root) => {
      const first = ca.issue({
        name: 'short',
        by: root,
        extensions: [
          'basicConstraints=critical,CA:TRUE,pathlen:0',
          'keyUsage=critical,keyCertSign',
        ],
      });
      const second = ca.issue({ name: 'too-deep', by: first, extensions: CA });
      return {
        leaf: ca.issue({ name: 'deep', by: second, extensions: SIGNER }),
        intermediates: [first, second],
        anchor: root,
      };
    },
    expect: 'x509.path-length',
  },
  {
    name: 'a leaf for TLS servers',
    build: leafOf('tls', ['extendedKeyUsage=serverAuth']),
    expect: 'x509.usage',
    opensslAccepts: true,
  },
  {
    name: 'a leaf for any purpose',
    build: leafOf('any', ['extendedKeyUsage=2.5.29.37.0']),
    expect: 'x509.usage',
    opensslAccepts: true,
  },
  {
    name: 'a leaf without a purpose',
    build: leafOf('none', ['keyUsage=critical,digitalSignature']),
    expect: 'x509.usage',
    opensslAccepts: true,
  },
  {
    name: 'a leaf that may only encrypt',
    build: leafOf('encrypt', ['keyUsage=critical,keyEncipherment', 'extendedKeyUsage=codeSigning']),
    expect: 'x509.usage',
    opensslAccepts: true,
  },
  {
    name: 'a CA for other purposes',
    build: under('tls-ca', [...CA, 'extendedKeyUsage=serverAuth']),
    expect: 'x509.usage',
    opensslAccepts: true,
  },
  {
    name: 'a CA for this purpose',
    build: under('sign-ca', [...CA, 'extendedKeyUsage=codeSigning']),
    expect: 'pass',
  },
  {
    name: 'timestamps by a leaf for code',
    build: leafOf('code', SIGNER),
    usage: 'timeStamping',
    expect: 'x509.usage',
  },
  {
    name: 'a timestamp purpose that is not critical',
    build: leafOf('lax', ['keyUsage=critical,digitalSignature', 'extendedKeyUsage=timeStamping']),
    usage: 'timeStamping',
    expect: 'x509.usage',
  },
  {
    name: 'timestamps as one of two purposes',
    build: leafOf('two', [
      'keyUsage=critical,digitalSignature',
      'extendedKeyUsage=critical,timeStamping,codeSigning',
    ]),
    usage: 'timeStamping',
    expect: 'x509.usage',
  },
  {
    name: 'timestamps by nonRepudiation',
    build: leafOf('nr', [
      'keyUsage=critical,nonRepudiation',
      'extendedKeyUsage=critical,timeStamping',
    ]),
    usage: 'timeStamping',
    expect: 'pass',
  },
  {
    name: 'an unknown critical extension on the leaf',
    build: leafOf('critical', [...SIGNER, '1.2.3.4=critical,DER:0500']),
    expect: 'x509.critical-extension',
  },
  {
    name: 'an unknown critical extension on the CA',
    build: under('critical-ca', [...CA, '1.2.3.4=critical,DER:0500']),
    expect: 'x509.critical-extension',
  },
  {
    name: 'an unknown extension that is not critical',
    build: leafOf('extra', [...SIGNER, '1.2.3.4=DER:0500']),
    expect: 'pass',
  },
  {
    name: 'a precertificate',
    build: leafOf('poison', [...SIGNER, '1.3.6.1.4.1.11129.2.4.3=critical,DER:0500']),
    expect: 'x509.critical-extension',
  },
  ...constrained(
    'e-mail of the host',
    'permitted;email:acme.example',
    'email:a@acme.example',
    'pass',
  ),
  ...constrained(
    'e-mail of another host',
    'permitted;email:acme.example',
    'email:a@evil.example',
    'x509.name-constraints',
  ),
  ...constrained(
    'e-mail of a subdomain',
    'permitted;email:acme.example',
    'email:a@sub.acme.example',
    'x509.name-constraints',
  ),
  ...constrained(
    'e-mail of a domain',
    'permitted;email:.acme.example',
    'email:a@sub.acme.example',
    'pass',
  ),
  ...constrained('DNS below', 'permitted;DNS:acme.example', 'DNS:a.acme.example', 'pass'),
  ...constrained(
    'DNS that only ends so',
    'permitted;DNS:acme.example',
    'DNS:evilacme.example',
    'x509.name-constraints',
  ),
  ...constrained(
    'DNS excluded',
    'excluded;DNS:acme.example',
    'DNS:a.acme.example',
    'x509.name-constraints',
  ),
  ...constrained('DNS not excluded', 'excluded;DNS:acme.example', 'DNS:b.example', 'pass'),
  ...constrained(
    'URI of the host',
    'permitted;URI:acme.example',
    'URI:https://acme.example/x',
    'pass',
  ),
  ...constrained(
    'URI of another host',
    'permitted;URI:acme.example',
    'URI:https://evil.example/acme.example',
    'x509.name-constraints',
  ),
  ...constrained('address within', 'permitted;IP:192.0.2.0/255.255.255.0', 'IP:192.0.2.9', 'pass'),
  ...constrained(
    'address outside',
    'permitted;IP:192.0.2.0/255.255.255.0',
    'IP:192.0.3.9',
    'x509.name-constraints',
  ),
  ...constrained(
    'another kind of name',
    'permitted;DNS:acme.example',
    'email:a@evil.example',
    'pass',
  ),
];

function constrained(
  what: string,
  constraint: string,
  name: string,
  expect: string,
): readonly Case[] {
  const id = `nc-${what.replaceAll(' ', '-')}`;
  const extensions = [...CA, `nameConstraints=critical,${constraint}`];
  return [
    {
      name: `name constraints: ${what}`,
      build: under(id, extensions, [...SIGNER, `subjectAltName=${name}`]),
      expect,
    },
  ];
}

describe('verifyChain on what OpenSSL issues', () => {
  const openssl = peer('openssl');
  const ca = openssl === null ? null : opensslCa(openssl);
  after(() => ca?.[Symbol.dispose]());
  const root = ca?.issue({ name: 'root', extensions: CA });
  const middle = root && ca?.issue({ name: 'middle', by: root, extensions: CA });
  for (const { name, build, usage = 'codeSigning', afterS = 30, expect, opensslAccepts } of CASES) {
    it(`${name}: ${expect}`, async (t) => {
      if (requirePeer(t, 'openssl') === null || !ca || !root || !middle) return;
      const chain = build(ca, root, middle);
      const leaf = readIssued(chain.leaf);
      const at = new Date(leaf.notBefore.getTime() + afterS * 1000);
      const authority = {
        name: 'lab',
        chain: [readIssued(chain.anchor)],
        validFor: { start: null, end: null },
      };
      const { finding, path } = await verifyChain({
        leaf,
        intermediates: chain.intermediates.map(readIssued),
        authorities: [authority],
        at,
        usage,
      });
      assert.equal(
        finding.outcome === 'pass' ? 'pass' : finding.code,
        expect,
        JSON.stringify(finding),
      );
      assert.equal(path === null, expect === 'x509.untrusted');
      const options = [
        '-attime',
        String(at.getTime() / 1000),
        ...(usage === 'timeStamping' ? ['-purpose', 'timestampsign'] : []),
      ];
      const accepted = ca.accepts(chain.leaf, chain.intermediates, chain.anchor, options);
      assert.equal(accepted, opensslAccepts ?? expect === 'pass', 'OpenSSL says otherwise');
    });
  }

  it('refuses to read a certificate that was signed with SHA-1', (t) => {
    if (requirePeer(t, 'openssl') === null || !ca || !root) return;
    const leaf = ca.issue({ name: 'sha1', by: root, extensions: SIGNER, digest: 'sha1' });
    assert.throws(
      () => readIssued(leaf),
      (error) => error instanceof TrustFault && error.code === 'crypto.algorithm-unknown',
    );
  });
});
