import assert from 'node:assert/strict';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { tarContent } from '../../src/oci/layout/tar.ts';
import { tarHeader, writeTar } from '../../src/parcel/tar-writer.ts';

const LONG = 'f'.repeat(128);

async function archiveOf(folder: string, path: string): Promise<Buffer> {
  const archive = await open(path, 'w');
  await writeTar(folder, archive);
  await archive.close();
  return readFile(path);
}

test('what is written is read back, and the same folder gives the same bytes', async (t) => {
  const base = await mkdtemp(join(tmpdir(), 'bulla-tar-'));
  t.after(() => rm(base, { recursive: true, force: true }));
  const folder = join(base, 'folder');
  const files: Readonly<Record<string, Buffer>> = {
    'index.json': Buffer.from('{}'),
    'oci-layout': Buffer.alloc(512, 'x'),
    [`blobs/sha512/${LONG}`]: Buffer.alloc(513, 'y'),
    'blobs/sha256/empty': Buffer.alloc(0),
    'blobs/sha256/large': Buffer.alloc(3 << 20, 'z'),
  };
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), bytes);
  }
  const bytes = await archiveOf(folder, join(base, 'first.tar'));
  const content = tarContent(join(base, 'first.tar'));
  for (const [name, expected] of Object.entries(files)) {
    await t.test(name.slice(0, 40), async () => {
      const found = await content.read(name, 4 << 20);
      assert.ok(found !== null && Buffer.compare(found, expected) === 0);
    });
  }
  await t.test('twice', async () => {
    assert.deepEqual(await archiveOf(folder, join(base, 'second.tar')), bytes);
  });
  await t.test('the layout’s own files come first', () => {
    assert.equal(bytes.toString('latin1', 0, 10), 'oci-layout');
  });
});

const RECORDS = [
  { name: 'a size that ustar holds', sizeBytes: 8 ** 11 - 1, pax: null },
  { name: 'a size that it does not', sizeBytes: 8 ** 11, pax: '19 size=8589934592\n' },
];

test('sizes above 8 GiB stand in a pax record', async (t) => {
  for (const { name, sizeBytes, pax } of RECORDS) {
    await t.test(name, () => {
      const header = Buffer.from(tarHeader({ name: 'blob', sizeBytes, kind: 'file' }));
      assert.equal(header.length, pax === null ? 512 : 3 * 512);
      if (pax !== null) assert.equal(header.toString('latin1', 512, 512 + pax.length), pax);
    });
  }
});

test('a pax record counts its own length, also where a digit is added by it', () => {
  for (let length = 101; length < 1200; length++) {
    const name = 'n'.repeat(length);
    const header = Buffer.from(tarHeader({ name, sizeBytes: 0, kind: 'file' }));
    const record = header.toString('latin1', 512);
    const stated = Number(/^\d+/.exec(record)?.[0]);
    assert.equal(record.slice(0, stated), `${stated} path=${name}\n`);
  }
});
