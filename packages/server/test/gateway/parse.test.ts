import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import fc from 'fast-check';
import { readManifestRecord, writeManifestRecord } from '../../src/gateway/cells.ts';
import { parseManifest } from '../../src/gateway/parse.ts';
import { digestOf, manifestOf, OCI_INDEX, OCI_MANIFEST } from './client.ts';

const CONFIG = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf('{}'), size: 2 };
const DOCKER = 'application/vnd.docker.distribution.manifest.v2+json';

test('a record reads back as it was written', () => {
  const { record } = parseManifest(
    Buffer.from(manifestOf({ subject: digestOf('s'), annotations: { __proto__x: 'y', b: '' } })),
    OCI_MANIFEST,
  );
  assert.deepEqual(
    JSON.stringify(readManifestRecord(writeManifestRecord(record))),
    JSON.stringify(record),
  );
});

test('no input makes parseManifest throw anything but TrustFault', () => {
  const near = fc.record(
    {
      schemaVersion: fc.constantFrom(2, 1, '2', null),
      mediaType: fc.constantFrom(OCI_MANIFEST, OCI_INDEX, DOCKER, 'text/html', 7),
      config: fc.oneof(fc.constant(CONFIG), fc.jsonValue()),
      layers: fc.oneof(fc.constant([]), fc.jsonValue()),
      manifests: fc.oneof(fc.constant([]), fc.jsonValue()),
      subject: fc.oneof(fc.constant(CONFIG), fc.jsonValue()),
      annotations: fc.jsonValue(),
      artifactType: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  const input = fc.oneof(
    near.map((value) => Buffer.from(JSON.stringify(value))),
    fc.uint8Array(),
  );
  fc.assert(
    fc.property(
      input,
      fc.option(fc.constantFrom(OCI_MANIFEST, OCI_INDEX, 'x/y')),
      (bytes, type) => {
        try {
          const { record } = parseManifest(bytes, type);
          assert.equal(record.size, bytes.length);
        } catch (error) {
          assert.ok(error instanceof TrustFault, String(error));
          assert.notEqual(error.code, 'internal.defect');
        }
      },
    ),
    { numRuns: 2000 },
  );
});
