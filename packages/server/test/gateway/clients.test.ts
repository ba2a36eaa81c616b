import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { temporaryFolder } from '../storage/rooms.ts';
import { ask, digestOf, KINDS, OCI_MANIFEST } from './client.ts';

const run = promisify(execFile);
const TIMEOUT_MS = 60_000;

/** Why tests of a peer are skipped, or false. A required one that is missing is a failure. */
function missing(peer: string, required: boolean): string | false {
  if (spawnSync(peer, ['--help'], { timeout: TIMEOUT_MS }).error === undefined) return false;
  assert.ok(!(required && process.env['BULLA_PEERS'] === 'required'), `${peer} is required`);
  return `${peer} is not installed`;
}

function tarOf(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644\x000000000\x000000000\0', 100);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0        0', 136);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return Buffer.concat([header, content, padding, Buffer.alloc(1024)]);
}

/** Writes an OCI layout with one image of two layers, and answers the image's digest. */
async function writeLayout(folder: string): Promise<string> {
  const put = async (mediaType: string, content: Buffer) => {
    const digest = digestOf(content);
    await writeFile(join(folder, 'blobs', 'sha256', digest.slice(7)), content);
    return { mediaType, digest, size: content.length };
  };
  await mkdir(join(folder, 'blobs', 'sha256'), { recursive: true });
  const noise = Buffer.from(Array.from({ length: 700_000 }, (_, n) => (n * n * 31 + n) % 251));
  const tars = [tarOf('etc/motd', Buffer.from('hello\n')), tarOf('noise', noise)];
  const config = {
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: tars.map((tar) => digestOf(tar)) },
  };
  const layers = [];
  for (const tar of tars) {
    layers.push(await put('application/vnd.oci.image.layer.v1.tar+gzip', gzipSync(tar)));
  }
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: await put(
      'application/vnd.oci.image.config.v1+json',
      Buffer.from(JSON.stringify(config)),
    ),
    layers,
  };
  const descriptor = await put(OCI_MANIFEST, Buffer.from(JSON.stringify(manifest)));
  const annotations = { 'org.opencontainers.image.ref.name': 'v1' };
  const index = { schemaVersion: 2, manifests: [{ ...descriptor, annotations }] };
  await writeFile(join(folder, 'index.json'), JSON.stringify(index));
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  return descriptor.digest;
}

for (const { kind, start } of KINDS) {
  test(`${kind}: skopeo copies an image in, across and out`, {
    skip: missing('skopeo', true),
  }, async () => {
    await using registry = await start();
    await using folder = await temporaryFolder();
    const digest = await writeLayout(folder.path);
    const skopeo = (...args: string[]) => run('skopeo', args, { timeout: TIMEOUT_MS });
    const copy = (from: string, to: string) =>
      skopeo(
        'copy',
        '--insecure-policy',
        '--src-tls-verify=false',
        '--dest-tls-verify=false',
        from,
        to,
      );
    const image = `docker://${registry.host}/team/app:v1`;
    await copy(`oci:${folder.path}:v1`, image);
    const { stdout } = await skopeo(
      'inspect',
      '--tls-verify=false',
      '--format',
      '{{.Digest}}',
      image,
    );
    assert.equal(stdout.trim(), digest);
    await copy(image, `docker://${registry.host}/other:v2`);
    const out = `oci:${join(folder.path, 'out')}:v1`;
    await copy(`docker://${registry.host}/other:v2`, out);
    const index = JSON.parse(await readFile(join(folder.path, 'out', 'index.json'), 'utf8'));
    assert.equal(index.manifests[0].digest, digest);
    await skopeo('delete', '--tls-verify=false', image);
    assert.equal(
      (await ask(registry.url, { path: `/v2/team/app/manifests/${digest}` })).status,
      404,
    );
  });

  test(`${kind}: skopeo pushes Docker schema 2`, { skip: missing('skopeo', true) }, async () => {
    await using registry = await start();
    await using folder = await temporaryFolder();
    await writeLayout(folder.path);
    const args = ['copy', '--insecure-policy', '--dest-tls-verify=false', '--format', 'v2s2'];
    const to = `docker://${registry.host}/app:docker`;
    await run('skopeo', [...args, `oci:${folder.path}:v1`, to], { timeout: TIMEOUT_MS });
    const answer = await ask(registry.url, { path: '/v2/app/manifests/docker' });
    const type = 'application/vnd.docker.distribution.manifest.v2+json';
    assert.equal(answer.headers['content-type'], type);
  });

  test(`${kind}: crane pushes, appends, copies, validates, pulls and deletes`, {
    skip: missing('crane', false),
  }, async () => {
    await using registry = await start();
    await using folder = await temporaryFolder();
    await writeLayout(folder.path);
    const layer = join(folder.path, 'layer.tar');
    await writeFile(layer, tarOf('etc/added', Buffer.from('added\n')));
    const crane = async (...args: string[]) =>
      (await run('crane', [...args, '--insecure'], { timeout: TIMEOUT_MS })).stdout.trim();
    const image = `${registry.host}/team/app:v1`;
    await crane('push', folder.path, image);
    await crane(
      'append',
      '--base',
      image,
      '--new_layer',
      layer,
      '--new_tag',
      `${registry.host}/team/app:v2`,
    );
    await crane('copy', `${registry.host}/team/app:v2`, `${registry.host}/copied/app:v3`);
    for (const tag of ['team/app:v1', 'team/app:v2', 'copied/app:v3']) {
      await crane('validate', '--remote', `${registry.host}/${tag}`);
    }
    assert.deepEqual((await crane('ls', `${registry.host}/team/app`)).split('\n'), ['v1', 'v2']);
    assert.deepEqual((await crane('catalog', registry.host)).split('\n'), [
      'copied/app',
      'team/app',
    ]);
    await crane('pull', '--format', 'oci', image, join(folder.path, 'pulled'));
    const digest = await crane('digest', `${registry.host}/copied/app:v3`);
    assert.equal(digest, await crane('digest', `${registry.host}/team/app:v2`));
    await crane('delete', `${registry.host}/copied/app@${digest}`);
    assert.equal(await crane('ls', `${registry.host}/copied/app`), '');
  });
}
