import assert from 'node:assert/strict';
import test from 'node:test';
import { encodeBase64 } from '@bulla/trust/bytes/base64';
import { publicKeyPem } from '@bulla/trust/crypto/public-key';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { LogEntry } from '@bulla/trust/logentries/entry';
import { matchEntryBody } from '@bulla/trust/logentries/match-body';
import type { EntryMaterial } from '@bulla/trust/logentries/verify-entry';
import fc from 'fast-check';
import { testKey } from '../tlog/synthetic-log.ts';
import {
  bodyOf,
  ENVELOPE_MATERIAL,
  MESSAGE_MATERIAL,
  SIGNATURE,
  SPECS,
  type SpecName,
} from './synthetic-entry.ts';

const OTHER = testKey('ecdsa-p256');
const NAMES = Object.keys(SPECS) as SpecName[];

function codeOf(name: string, body: Uint8Array, material: EntryMaterial): string {
  const [kind = '', version = ''] = name.split(' ');
  const entry: LogEntry = {
    logIndex: 0n,
    logId: new Uint8Array(),
    kind,
    version,
    integratedTime: null,
    integratedTimeSeconds: 0n,
    inclusionPromise: null,
    inclusionProof: null,
    canonicalizedBody: body,
  };
  try {
    matchEntryBody(entry, material);
    return 'pass';
  } catch (error) {
    assert.ok(error instanceof TrustFault);
    return error.code;
  }
}

function materialOf(name: string): EntryMaterial {
  return name.startsWith('hashedrekord') ? MESSAGE_MATERIAL : ENVELOPE_MATERIAL;
}

const MISMATCH = 'tlog.entry-mismatch';
const CERTIFICATE = new Uint8Array([0x30, 0]);

test('each kind of entry matches its own material', () => {
  for (const name of NAMES) {
    assert.equal(codeOf(name, bodyOf(name, SPECS[name]), materialOf(name)), 'pass', name);
  }
});

for (const name of NAMES) {
  const body = bodyOf(name, SPECS[name]);
  const material = materialOf(name);
  const changes: readonly { what: string; material: EntryMaterial }[] = [
    { what: 'another key', material: { ...material, key: OTHER.publicKey } },
    { what: 'a certificate of the same key', material: { ...material, certificate: CERTIFICATE } },
    ...(material.kind === 'message'
      ? [
          { what: 'another signature', material: { ...material, signature: new Uint8Array(70) } },
          {
            what: 'another digest',
            material: {
              ...material,
              digest: { hash: 'sha256', value: new Uint8Array(32) } as const,
            },
          },
          {
            what: 'a digest by another algorithm',
            material: { ...material, digest: { ...material.digest, hash: 'sha384' } as const },
          },
        ]
      : [
          { what: 'another payload', material: { ...material, payload: new Uint8Array(3) } },
          { what: 'no signature', material: { ...material, signatures: [] } },
          {
            what: 'another signature',
            material: { ...material, signatures: [{ signature: SIGNATURE }] },
          },
        ]),
  ];
  for (const { what, material: changed } of changes) {
    test(`${name} does not match ${what}`, () => {
      assert.equal(codeOf(name, body, changed), MISMATCH);
    });
  }
}

const ENVELOPE_RECORD = {
  hashedRekordV002: {
    ...SPECS['hashedrekord 0.0.2'].hashedRekordV002,
    data: {
      algorithm: 'SHA2_256',
      digest: encodeBase64(ENVELOPE_MATERIAL.paeDigest('sha256')),
    },
    signature: SPECS['dsse 0.0.2'].dsseV002.signatures[0],
  },
};

test('Rekor v2 logs an envelope by the digest of its pre-authentication encoding', () => {
  const body = bodyOf('hashedrekord 0.0.2', ENVELOPE_RECORD);
  assert.equal(codeOf('hashedrekord 0.0.2', body, ENVELOPE_MATERIAL), 'pass');
  const other = { ...ENVELOPE_MATERIAL, paeDigest: () => new Uint8Array(32) };
  assert.equal(codeOf('hashedrekord 0.0.2', body, other), MISMATCH);
});

test('a payload type is matched where the entry has it', () => {
  const name = 'intoto 0.0.2';
  const material = { ...ENVELOPE_MATERIAL, payloadType: 'text/plain' };
  assert.equal(codeOf(name, bodyOf(name, SPECS[name]), material), MISMATCH);
});

const WRONG_KIND: readonly { name: SpecName; material: EntryMaterial }[] = [
  { name: 'hashedrekord 0.0.1', material: ENVELOPE_MATERIAL },
  { name: 'dsse 0.0.1', material: MESSAGE_MATERIAL },
  { name: 'dsse 0.0.2', material: MESSAGE_MATERIAL },
  { name: 'intoto 0.0.2', material: MESSAGE_MATERIAL },
];

for (const { name, material } of WRONG_KIND) {
  test(`${name} does not log a ${material.kind}`, () => {
    assert.equal(codeOf(name, bodyOf(name, SPECS[name]), material), MISMATCH);
  });
}

for (const named of NAMES) {
  test(`a bundle that calls another body ${named} is refused`, () => {
    for (const actual of NAMES.filter((name) => name !== named)) {
      assert.equal(codeOf(named, bodyOf(actual, SPECS[actual]), materialOf(named)), MISMATCH);
    }
  });
}

for (const name of [
  'intoto 0.0.1',
  'rekord 0.0.1',
  'hashedrekord 0.0.3',
  'dsse 1',
  ' ',
  '__proto__ ',
]) {
  test(`an entry of kind ${JSON.stringify(name)} is unsupported`, () => {
    const body = bodyOf(name, SPECS['dsse 0.0.1']);
    assert.equal(codeOf(name, body, ENVELOPE_MATERIAL), 'tlog.entry-unsupported');
  });
}

const V2 = SPECS['hashedrekord 0.0.2'].hashedRekordV002;
const V1 = SPECS['hashedrekord 0.0.1'];
const INTOTO = SPECS['intoto 0.0.2'].content;
const PRIVATE = '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n';

const MALFORMED: readonly { what: string; name: SpecName; spec: unknown }[] = [
  { what: 'no spec', name: 'dsse 0.0.1', spec: undefined },
  { what: 'an array', name: 'dsse 0.0.1', spec: [] },
  {
    what: 'both a key and a certificate',
    name: 'hashedrekord 0.0.2',
    spec: {
      hashedRekordV002: {
        ...V2,
        signature: {
          ...V2.signature,
          verifier: { ...V2.signature.verifier, x509Certificate: { rawBytes: 'AAAA' } },
        },
      },
    },
  },
  {
    what: 'a key that is none',
    name: 'hashedrekord 0.0.2',
    spec: {
      hashedRekordV002: {
        ...V2,
        signature: { ...V2.signature, verifier: { publicKey: { rawBytes: 'AAAA' } } },
      },
    },
  },
  {
    what: 'an unknown digest',
    name: 'hashedrekord 0.0.2',
    spec: { hashedRekordV002: { ...V2, data: { ...V2.data, algorithm: 'SHA3_256' } } },
  },
  {
    what: 'a digest in base64 instead of hex',
    name: 'hashedrekord 0.0.1',
    spec: { ...V1, data: { hash: { algorithm: 'sha256', value: V2.data.digest } } },
  },
  {
    what: 'a PEM of a private key',
    name: 'hashedrekord 0.0.1',
    spec: {
      ...V1,
      signature: { ...V1.signature, publicKey: { content: encodeBase64(Buffer.from(PRIVATE)) } },
    },
  },
  {
    what: 'a signature that is encoded once',
    name: 'intoto 0.0.2',
    spec: {
      content: {
        ...INTOTO,
        envelope: {
          ...INTOTO.envelope,
          signatures: [{ ...INTOTO.envelope.signatures[0], sig: V2.signature.content }],
        },
      },
    },
  },
];

for (const { what, name, spec } of MALFORMED) {
  test(`a body of ${name} with ${what} is malformed`, () => {
    assert.equal(codeOf(name, bodyOf(name, spec), materialOf(name)), 'tlog.entry-malformed');
  });
}

test('a certificate in PEM is compared byte by byte', () => {
  const pem = publicKeyPem(OTHER.publicKey).replaceAll('PUBLIC KEY', 'CERTIFICATE');
  const spec = {
    ...V1,
    signature: { ...V1.signature, publicKey: { content: encodeBase64(Buffer.from(pem)) } },
  };
  const body = bodyOf('hashedrekord 0.0.1', spec);
  const material = { ...MESSAGE_MATERIAL, certificate: OTHER.publicKey.spki };
  assert.equal(codeOf('hashedrekord 0.0.1', body, material), 'pass');
  const other = { ...MESSAGE_MATERIAL, certificate: MESSAGE_MATERIAL.key.spki };
  assert.equal(codeOf('hashedrekord 0.0.1', body, other), MISMATCH);
  assert.equal(codeOf('hashedrekord 0.0.1', body, MESSAGE_MATERIAL), MISMATCH);
});

test('the same key twice in a body is refused', () => {
  const text = Buffer.from(bodyOf('dsse 0.0.1', SPECS['dsse 0.0.1'])).toString('utf8');
  const twice = Buffer.from(text.replace('"kind":', '"kind":"dsse","kind":'));
  assert.equal(codeOf('dsse 0.0.1', twice, ENVELOPE_MATERIAL), 'json.duplicate-key');
});

test('no body makes the match throw anything but a fault', () => {
  const names = fc.constantFrom(...NAMES);
  const edits = fc.tuple(names, fc.nat(2000), fc.stringMatching(/^[ -~]{0,4}$/));
  fc.assert(
    fc.property(
      edits,
      fc.constantFrom(MESSAGE_MATERIAL, ENVELOPE_MATERIAL),
      ([name, at, insert], material) => {
        const text = Buffer.from(bodyOf(name, SPECS[name])).toString('latin1');
        const from = at % text.length;
        const edited = text.slice(0, from) + insert + text.slice(from + insert.length);
        codeOf(name, Buffer.from(edited), material);
      },
    ),
    { numRuns: 1000 },
  );
  const specs = fc.record({ kind: names, apiVersion: fc.string(), spec: fc.jsonValue() });
  fc.assert(
    fc.property(names, specs, (name, { spec }) => {
      assert.notEqual(codeOf(name, bodyOf(name, spec), materialOf(name)), 'pass');
    }),
  );
});
