import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { concat, utf8 } from '../bytes/byte-string.ts';

const BLOCK = 512;
const CHUNK_BYTES = 1 << 20;
const NAME_BYTES = 100;
/** The largest size that eleven octal digits hold (POSIX pax, "ustar Interchange Format"). */
const USTAR_SIZE_LIMIT = 8 ** 11;

/** The header of one entry, before its checksum. */
export interface TarEntry {
  /** Relative, with forward slashes; a folder's ends in one. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly kind: 'file' | 'folder' | 'pax';
}

/**
 * Writes the files and folders below `folder` into the open file `archive`, as POSIX ustar with pax
 * records where a name or a size needs them. Deterministic: names in byte order, `oci-layout` and
 * `index.json` first, no owner, no times. Links and other kinds of files are passed over.
 */
export async function writeTar(folder: string, archive: FileHandle): Promise<void> {
  for (const name of await namesBelow(folder, '')) {
    if (name.endsWith('/')) {
      await archive.writeFile(tarHeader({ name, sizeBytes: 0, kind: 'folder' }));
    } else {
      await writeEntry(join(folder, name), name, archive);
    }
  }
  // Two zero blocks end an archive.
  await archive.writeFile(new Uint8Array(2 * BLOCK));
}

async function namesBelow(folder: string, prefix: string): Promise<readonly string[]> {
  const entries = await readdir(join(folder, prefix), { withFileTypes: true });
  const names: string[] = [];
  for (const entry of entries.toSorted((a, b) => compareNames(a.name, b.name))) {
    const name = `${prefix}${entry.name}`;
    if (entry.isFile()) names.push(name);
    else if (entry.isDirectory()) names.push(`${name}/`, ...(await namesBelow(folder, `${name}/`)));
  }
  return names;
}

const FIRST: readonly string[] = ['oci-layout', 'index.json'];

/** Readers that stream find the layout's index before its blobs. */
function compareNames(a: string, b: string): number {
  const rank = (name: string) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  return rank(a) - rank(b) || (a < b ? -1 : 1);
}

async function writeEntry(path: string, name: string, archive: FileHandle): Promise<void> {
  const { size } = await stat(path);
  await archive.writeFile(tarHeader({ name, sizeBytes: size, kind: 'file' }));
  const file = await open(path, 'r');
  try {
    let left = size;
    while (left > 0) {
      const { bytesRead, buffer } = await file.read(
        Buffer.allocUnsafe(Math.min(CHUNK_BYTES, left)),
      );
      if (bytesRead === 0) throw new Error(`${name} became shorter while it was read`);
      await archive.writeFile(buffer.subarray(0, bytesRead));
      left -= bytesRead;
    }
  } finally {
    await file.close();
  }
  await archive.writeFile(padding(size));
}

/** The header blocks of an entry, with a pax header before it where ustar's fields are too small. */
export function tarHeader(entry: TarEntry): Uint8Array {
  const { name, sizeBytes } = entry;
  const isLong = utf8(name).length > NAME_BYTES;
  const isLarge = sizeBytes >= USTAR_SIZE_LIMIT;
  const own = ustarBlock({
    ...entry,
    name: isLong ? name.slice(-NAME_BYTES) : name,
    sizeBytes: isLarge ? 0 : sizeBytes,
  });
  if (!isLong && !isLarge) return own;
  const records = utf8(
    `${isLong ? paxRecord('path', name) : ''}${isLarge ? paxRecord('size', String(sizeBytes)) : ''}`,
  );
  const pax = ustarBlock({ name: 'pax', sizeBytes: records.length, kind: 'pax' });
  return concat(pax, records, padding(records.length), own);
}

/** `LENGTH KEY=VALUE\n`, where the length counts its own digits too. */
function paxRecord(key: string, value: string): string {
  const rest = utf8(` ${key}=${value}\n`).length;
  let length = rest + 1;
  while (String(length).length + rest !== length) length = String(length).length + rest;
  return `${length} ${key}=${value}\n`;
}

const TYPES = { file: '0', folder: '5', pax: 'x' } as const;

function ustarBlock({ name, sizeBytes, kind }: TarEntry): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0');
  block.write(name, 0);
  block.write(kind === 'folder' ? octal(0o755, 7) : octal(0o644, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(sizeBytes, 11), 124);
  block.write(octal(0, 11), 136);
  // The checksum is taken over the header with spaces in its own field.
  block.write(' '.repeat(8), 148);
  block.write(TYPES[kind], 156);
  block.write('ustar\u000000', 257);
  block.write(octal(0, 7), 329);
  block.write(octal(0, 7), 337);
  const sum = block.reduce((total, octet) => total + octet, 0);
  block.write(`${octal(sum, 6)}\u0000 `, 148);
  return block;
}

function padding(sizeBytes: number): Uint8Array {
  return new Uint8Array((BLOCK - (sizeBytes % BLOCK)) % BLOCK);
}
