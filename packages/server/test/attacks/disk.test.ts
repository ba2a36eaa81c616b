import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestOf, OCI_INDEX, OCI_MANIFEST } from '../gateway/client.ts';
import { type Fortress, openFortress, sign } from './fortress.ts';

// Somebody who can write to the disk, and not to the policies, exchanges what was admitted.

/** Writes other bytes into the one file that holds the content of a digest. */
async function overwrite({ folder }: Fortress, digest: string, bytes: string): Promise<void> {
  const hex = digest.slice('sha256:'.length);
  const entries = await readdir(join(folder, 'data'), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.includes(hex));
  assert.equal(files.length, 1, 'one file holds the content');
  for (const { parentPath, name } of files) await writeFile(join(parentPath, name), bytes);
}

const SIGNED = `
  images: [{ glob: "**" }]
  authorities: { release: { key: { ref: KEY } } }
  require: { signed: { of: [release] } }`;

async function enforce({ folder, server }: Fortress): Promise<void> {
  const path = join(folder, 'policies/prod.yaml');
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace('mode: audit', 'mode: enforce'));
  await server.reload();
}

test('a manifest that was exchanged on the disk is not served under the digest that was admitted', async () => {
  await using fortress = await openFortress({ spec: `${SIGNED}\n  mode: audit` });
  const good = await fortress.image('app', 'v1');
  await sign(new URL(fortress.origin).host, 'app:v1', fortress.key, fortress.pushToken);
  await enforce(fortress);
  assert.equal((await fortress.pull('app', 'v1')).status, 200);
  await fortress.image('app', 'evil');
  const config = JSON.stringify({ architecture: 'amd64', os: 'linux', says: 'evil' });
  const layer = 'layer of evil';
  const evil = JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: digestOf(config),
      size: config.length,
    },
    layers: [
      {
        mediaType: 'application/vnd.oci.image.layer.v1.tar',
        digest: digestOf(layer),
        size: layer.length,
      },
    ],
  });
  await overwrite(fortress, good, evil);
  // An index that lists the image has it read from the disk again.
  await fortress.manifest(
    'app',
    'index',
    {
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: [{ mediaType: OCI_MANIFEST, digest: good, size: evil.length }],
    },
    OCI_INDEX,
  );
  for (const reference of ['v1', good]) {
    const answer = await fortress.pull('app', reference);
    assert.equal(answer.status, 500, answer.body.toString());
    assert.doesNotMatch(answer.body.toString(), /layers/);
  }
});
