import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { buildSimpleSigning, parseSimpleSigning } from '@bulla/trust/claims/simple-signing';
import { TrustFault } from '@bulla/trust/fault/fault';
import fc from 'fast-check';
import { type Json, simpleSigning } from '../sigstore-lab/mint.ts';
import { mutationsOf, set } from '../sigstore-lab/mutations.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const GOOD: Json = JSON.parse(Buffer.from(simpleSigning(DIGEST, {}, { env: 'prod' })).toString());
const IMAGE = 'critical.image.docker-manifest-digest';

function codeOf(document: unknown): string | null {
  try {
    parseSimpleSigning(utf8(JSON.stringify(document)), 'a test');
    return null;
  } catch (error) {
    assert.ok(error instanceof TrustFault, String(error));
    return error.code;
  }
}

const ROWS: readonly {
  readonly name: string;
  readonly document: unknown;
  readonly code: string | null;
}[] = [
  { name: 'all of it', document: GOOD, code: null },
  { name: 'no optional', document: set(GOOD, 'optional', undefined), code: null },
  { name: 'optional null, as cosign writes it', document: set(GOOD, 'optional', null), code: null },
  {
    name: 'optional members of any type',
    document: set(GOOD, 'optional', { a: 1, b: [2] }),
    code: null,
  },
  { name: 'a type that is not cosign’s', document: set(GOOD, 'critical.type', 'x'), code: null },
  { name: 'an unknown member', document: { ...GOOD, more: 1 }, code: 'payload.malformed' },
  {
    name: 'an unknown critical member',
    document: set(GOOD, 'critical.more', 1),
    code: 'payload.malformed',
  },
  {
    name: 'an unknown member of image',
    document: set(GOOD, 'critical.image.more', 1),
    code: 'payload.malformed',
  },
  {
    name: 'an unknown member of identity',
    document: set(GOOD, 'critical.identity.more', 1),
    code: 'payload.malformed',
  },
  { name: 'no digest', document: set(GOOD, IMAGE, undefined), code: 'payload.malformed' },
  { name: 'a short digest', document: set(GOOD, IMAGE, 'sha256:aa'), code: 'payload.malformed' },
  {
    name: 'a digest in upper case',
    document: set(GOOD, IMAGE, DIGEST.toUpperCase()),
    code: 'payload.malformed',
  },
  {
    name: 'a digest of another algorithm',
    document: set(GOOD, IMAGE, `md5:${'a'.repeat(32)}`),
    code: 'payload.malformed',
  },
  {
    name: 'a digest with a newline',
    document: set(GOOD, IMAGE, `${DIGEST}\n`),
    code: 'payload.malformed',
  },
  { name: 'no type', document: set(GOOD, 'critical.type', undefined), code: 'payload.malformed' },
  { name: 'optional as a list', document: set(GOOD, 'optional', []), code: 'payload.malformed' },
];

for (const { name, document, code } of ROWS) {
  test(`a payload with ${name}: ${code ?? 'read'}`, () => assert.equal(codeOf(document), code));
}

test('what is built is read back, member for member as cosign writes it', () => {
  const key = fc.string().filter((name) => name !== '__proto__');
  fc.assert(
    fc.property(fc.string(), fc.dictionary(key, fc.string()), (dockerReference, annotations) => {
      const bytes = buildSimpleSigning({ dockerReference, digest: DIGEST, annotations });
      const read = parseSimpleSigning(bytes, 'a test');
      assert.equal(read.dockerReference, dockerReference);
      assert.equal(read.digest, DIGEST);
      assert.deepEqual({ ...read.annotations }, { ...annotations });
    }),
    { numRuns: 200 },
  );
  const plain = buildSimpleSigning({ dockerReference: 'r/app', digest: DIGEST, annotations: {} });
  assert.equal(
    Buffer.from(plain).toString(),
    `{"critical":{"identity":{"docker-reference":"r/app"},"image":{"docker-manifest-digest":"${DIGEST}"},"type":"cosign container image signature"},"optional":null}`,
  );
});

test('no input throws anything but TrustFault', () => {
  const never = (bytes: Uint8Array) => {
    try {
      parseSimpleSigning(bytes, 'a test');
    } catch (error) {
      assert.ok(error instanceof TrustFault && error.code !== 'internal.defect', String(error));
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), never));
  fc.assert(fc.property(fc.json(), (text) => never(utf8(text))));
  for (const { document } of mutationsOf(GOOD, {})) never(utf8(JSON.stringify(document)));
});
