import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import { openLayout } from '@bulla/trust/oci/layout/layout-store';
import { tarContent } from '@bulla/trust/oci/layout/tar';
import fc from 'fast-check';
import { collect, EMPTY, image, index, point, sample } from '../sample.ts';

let root: string;
let count = 0;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'bulla-tar-'));
});
after(() => rm(root, { recursive: true, force: true }));

interface Entry {
  readonly name: string;
  readonly body?: Uint8Array | string;
  readonly type?: string;
  readonly prefix?: string;
  readonly size?: string;
  readonly link?: string;
}

function header(entry: Entry, size: number): Buffer {
  const block = Buffer.alloc(512);
  block.write(entry.name, 0, 100);
  block.write('0000644\0', 100);
  block.write(entry.size ?? `${size.toString(8).padStart(11, '0')}\0`, 124);
  block.write('        ', 148);
  block.write(entry.type ?? '0', 156);
  block.write(entry.link ?? '', 157);
  block.write('ustar\u000000', 257);
  block.write(entry.prefix ?? '', 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function tar(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap((entry) => {
    const body = Buffer.from(entry.body ?? '');
    return [header(entry, body.length), body, Buffer.alloc((512 - (body.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

async function file(bytes: Uint8Array): Promise<string> {
  const path = join(root, `${count++}.tar`);
  await writeFile(path, bytes);
  return path;
}

function pax(record: string): string {
  const length = record.length + 3;
  return `${length + String(length).length - 1} ${record}\n`;
}

const app = image('layer');
const layout = (): Entry[] => [
  { name: './oci-layout', body: '{"imageLayoutVersion":"1.0.0"}' },
  { name: './blobs/', type: '5' },
  {
    name: './index.json',
    body: JSON.stringify({
      schemaVersion: 2,
      manifests: [
        point(app.manifest, { annotations: { 'org.opencontainers.image.ref.name': 'v1' } }),
      ],
    }),
  },
  ...[app.manifest, app.layer, EMPTY].map(({ digest, bytes }) => ({
    name: `./blobs/${digest.replace(':', '/')}`,
    body: bytes,
  })),
];

describe('a tar archive of a layout', () => {
  it('is a source', async () => {
    const store = await openLayout(await file(tar(layout())));
    assert.equal((await store.manifest('v1'))?.digest, app.manifest.digest);
    assert.deepEqual(await store.blob(app.layer), Buffer.from('layer'));
    assert.deepEqual(await collect(await store.blobStream(app.layer)), Buffer.from('layer'));
    assert.equal(await store.blob(sample(Buffer.from('x'), 'a/b')), null);
  });

  it('is no target', async () => {
    const store = await openLayout(await file(tar(layout())));
    const writes = [
      store.putBlob(app.layer, app.layer.bytes),
      store.putManifest(index([])),
      store.deleteTag('v1'),
      store.deleteManifest(app.manifest.digest),
    ];
    for (const write of writes) await assert.rejects(write, { code: 'layout.read-only' });
  });

  it('checks digests', async () => {
    const entries = layout().map((entry) =>
      entry.name.includes(app.layer.digest.slice(7)) ? { ...entry, body: 'other' } : entry,
    );
    const store = await openLayout(await file(tar(entries)));
    await assert.rejects(store.blob(app.layer), { code: 'registry.digest-mismatch' });
  });
});

describe('tar entries', () => {
  const long = `blobs/${'a'.repeat(150)}`;
  const cases: readonly {
    name: string;
    entries: readonly Entry[];
    read: string;
    expect: string | null;
  }[] = [
    {
      name: 'a prefix',
      entries: [{ name: 'b', prefix: 'a', body: '1' }],
      read: 'a/b',
      expect: '1',
    },
    {
      name: 'a pax path',
      entries: [
        { name: 'x', type: 'x', body: pax(`path=${long}`) },
        { name: 'cut', body: '2' },
      ],
      read: long,
      expect: '2',
    },
    {
      name: 'a GNU long name',
      entries: [
        { name: '././@LongLink', type: 'L', body: `${long}\0` },
        { name: 'cut', body: '3' },
      ],
      read: long,
      expect: '3',
    },
    {
      name: 'a pax name is for one entry only',
      entries: [
        { name: 'x', type: 'x', body: pax('path=one') },
        { name: 'cut', body: '4' },
        { name: 'two', body: '5' },
      ],
      read: 'two',
      expect: '5',
    },
    {
      name: 'a symbolic link',
      entries: [{ name: 'a', type: '2', link: '/etc/passwd' }, { name: 'b' }],
      read: 'a',
      expect: null,
    },
    {
      name: 'a hard link',
      entries: [{ name: 'a', type: '1', link: 'b' }, { name: 'b' }],
      read: 'a',
      expect: null,
    },
  ];
  for (const { name, entries, read, expect } of cases) {
    it(name, async () => {
      const bytes = await tarContent(await file(tar(entries))).read(read, 100);
      assert.equal(bytes === null ? null : Buffer.from(bytes).toString(), expect);
    });
  }

  const good = tar([{ name: 'a', body: 'x' }]);
  const broken: readonly { name: string; bytes: Buffer; code: string }[] = [
    { name: 'a name with ..', bytes: tar([{ name: '../a', body: 'x' }]), code: 'layout.malformed' },
    { name: 'an absolute name', bytes: tar([{ name: '/a', body: 'x' }]), code: 'layout.malformed' },
    {
      name: 'the same name twice',
      bytes: tar([{ name: 'a' }, { name: './a' }]),
      code: 'layout.malformed',
    },
    { name: 'a cut body', bytes: good.subarray(0, 512), code: 'layout.malformed' },
    {
      name: 'a wrong checksum',
      bytes: Buffer.concat([Buffer.from('z'), good.subarray(1)]),
      code: 'layout.malformed',
    },
    {
      name: 'a gzip stream',
      bytes: Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.alloc(600, 7)]),
      code: 'layout.malformed',
    },
    { name: 'an empty file', bytes: Buffer.alloc(0), code: 'layout.malformed' },
    {
      name: 'a size of letters',
      bytes: tar([{ name: 'a', size: 'zzz' }]),
      code: 'layout.malformed',
    },
    {
      name: 'a size beyond the file',
      bytes: tar([{ name: 'a', size: '77777777777\0' }]),
      code: 'layout.malformed',
    },
    {
      name: 'a broken pax record',
      bytes: tar([{ name: 'x', type: 'x', body: '999 path=a\n' }, { name: 'b' }]),
      code: 'layout.malformed',
    },
    {
      name: 'a huge pax header',
      bytes: tar([{ name: 'x', type: 'x', body: 'a'.repeat(70_000) }]),
      code: 'layout.malformed',
    },
  ];
  for (const { name, bytes, code } of broken) {
    it(`${name} is refused`, async () => {
      await assert.rejects(tarContent(await file(bytes)).read('a', 100), { code });
    });
  }

  it('more than is asked for is refused', async () => {
    await assert.rejects(tarContent(await file(good)).read('a', 0), { code: 'registry.limit' });
  });

  it('no input throws anything but TrustFault', async () => {
    const path = await file(good);
    const seed = tar([
      { name: 'x', type: 'x', body: pax('path=a') },
      { name: 'b', body: 'y' },
    ]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(seed.length - 1), fc.nat(255)), { maxLength: 6 }),
        async (edits) => {
          const bytes = Buffer.from(seed);
          for (const [at, value] of edits) bytes[at] = value;
          await writeFile(path, bytes);
          try {
            await tarContent(path).read('a', 100);
          } catch (error) {
            assert.ok(error instanceof TrustFault, String(error));
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
