import { type FileHandle, open } from 'node:fs/promises';
import { quote, TrustFault } from '../../fault/fault.ts';
import { isSystemError } from '../system-error.ts';
import type { LayoutContent } from './content.ts';

const BLOCK = 512;
const MAX_ENTRIES = 100_000;
const MAX_PAX_BYTES = 64 << 10;
const CHUNK_BYTES = 256 << 10;

interface TarFile {
  readonly offset: number;
  readonly size: number;
}

/**
 * The files of a layout in an uncompressed tar archive (POSIX ustar and pax, GNU long names), read
 * in place. Links and devices are passed over, never followed; absolute names, names with `..` and
 * the same name twice are refused with `layout.malformed`.
 */
export function tarContent(path: string): LayoutContent {
  let directory: Promise<ReadonlyMap<string, TarFile>> | undefined;
  const find = async (name: string): Promise<TarFile | undefined> => {
    directory ??= withFile(path, (file) => readDirectory(file, path));
    return (await directory).get(name);
  };
  return {
    path,
    async read(name, maxBytes) {
      const found = await find(name);
      if (found === undefined) return null;
      if (found.size > maxBytes) {
        throw new TrustFault(
          'registry.limit',
          `expected at most ${maxBytes} bytes of ${quote(name)}, found ${found.size}`,
        );
      }
      return withFile(path, (file) => readAt(file, path, found.offset, found.size));
    },
    async open(name) {
      const found = await find(name);
      return found === undefined ? null : { size: found.size, chunks: pieces(path, found) };
    },
  };
}

async function withFile<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (cause) {
    const why = isSystemError(cause, 'ENOENT') ? 'there is no' : 'cannot read';
    throw new TrustFault('usage.file', `${why} ${quote(path)}`, undefined, { cause });
  }
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

async function* pieces(path: string, found: TarFile): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r');
  try {
    for (let done = 0; done < found.size; done += CHUNK_BYTES) {
      const length = Math.min(CHUNK_BYTES, found.size - done);
      yield await readAt(file, path, found.offset + done, length);
    }
  } finally {
    await file.close();
  }
}

async function readAt(
  file: FileHandle,
  path: string,
  offset: number,
  length: number,
): Promise<Uint8Array> {
  const buffer = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(buffer, done, length - done, offset + done);
    if (bytesRead === 0) throw malformed(path, 'the archive is cut');
    done += bytesRead;
  }
  return buffer;
}

async function readDirectory(
  file: FileHandle,
  path: string,
): Promise<ReadonlyMap<string, TarFile>> {
  const { size: end } = await file.stat();
  const files = new Map<string, TarFile>();
  let offset = 0;
  // What a pax or GNU header says about the entry that follows it.
  let next: { name?: string; size?: number } = {};
  for (let entries = 0; offset + BLOCK <= end; entries++) {
    if (entries > MAX_ENTRIES) throw malformed(path, `more than ${MAX_ENTRIES} entries`);
    const header = await readAt(file, path, offset, BLOCK);
    // Two zero blocks end an archive (POSIX pax "ustar Interchange Format"); one is enough here.
    if (header.every((byte) => byte === 0)) return files;
    checkHeader(header, path);
    const type = String.fromCharCode(header[156] ?? 0);
    const isExtension = type === 'x' || type === 'g' || type === 'L' || type === 'K';
    const size = isExtension ? sizeOf(header, path) : (next.size ?? sizeOf(header, path));
    const start = offset + BLOCK;
    offset = start + Math.ceil(size / BLOCK) * BLOCK;
    if (start + size > end) throw malformed(path, 'the archive is cut');
    if (isExtension) {
      if (size > MAX_PAX_BYTES) throw malformed(path, 'an extended header is too large');
      if (type === 'x') next = { ...next, ...readPax(await readAt(file, path, start, size), path) };
      if (type === 'L') next = { ...next, name: text(await readAt(file, path, start, size)) };
      continue;
    }
    const name = next.name ?? nameOf(header);
    next = {};
    if (type !== '0' && type !== '\0') continue;
    const clean = cleanName(name, path);
    if (files.has(clean)) throw malformed(path, `${quote(clean)} stands in it twice`);
    files.set(clean, { offset: start, size });
  }
  if (files.size === 0) throw malformed(path, 'it is no tar archive');
  return files;
}

function checkHeader(header: Uint8Array, path: string): void {
  let sum = 0;
  // The checksum field itself counts as spaces.
  for (const [at, byte] of header.entries()) sum += at >= 148 && at < 156 ? 0x20 : byte;
  if (sum !== octal(header.subarray(148, 156))) {
    throw malformed(path, 'a header’s checksum is wrong (a compressed archive must be unpacked)');
  }
}

function sizeOf(header: Uint8Array, path: string): number {
  const field = header.subarray(124, 136);
  // GNU base-256 (first bit set) is only needed above 8 GiB.
  const size = ((field[0] ?? 0) & 0x80) === 0 ? octal(field) : Number.NaN;
  if (!Number.isSafeInteger(size) || size < 0)
    throw malformed(path, 'an entry has no readable size');
  return size;
}

function octal(field: Uint8Array): number {
  const digits = text(field).trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

function nameOf(header: Uint8Array): string {
  const name = text(header.subarray(0, 100));
  const isUstar = text(header.subarray(257, 263)).startsWith('ustar');
  const prefix = isUstar ? text(header.subarray(345, 500)) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

function text(field: Uint8Array): string {
  const end = field.indexOf(0);
  return Buffer.from(end === -1 ? field : field.subarray(0, end)).toString('utf8');
}

function cleanName(name: string, path: string): string {
  const parts = name.split('/').filter((part) => part !== '.' && part !== '');
  if (name.startsWith('/') || parts.includes('..') || parts.length === 0) {
    throw malformed(path, `the name ${quote(name)} leads out of it`);
  }
  return parts.join('/');
}

/** The records `LENGTH KEY=VALUE\n` of a pax header that matter here: path and size. */
function readPax(bytes: Uint8Array, path: string): { name?: string; size?: number } {
  const found: { name?: string; size?: number } = {};
  let at = 0;
  while (at < bytes.length && bytes[at] !== 0) {
    const space = bytes.indexOf(0x20, at);
    const length = space === -1 ? Number.NaN : Number(text(bytes.subarray(at, space)));
    if (!Number.isSafeInteger(length) || length < 5 || at + length > bytes.length) {
      throw malformed(path, 'an extended header is broken');
    }
    const [key, value] = cut(text(bytes.subarray(space + 1, at + length - 1)));
    if (key === 'path') found.name = value;
    if (key === 'size') {
      if (!/^[0-9]{1,15}$/.test(value)) throw malformed(path, 'an extended header is broken');
      found.size = Number(value);
    }
    at += length;
  }
  return found;
}

function cut(record: string): readonly [string, string] {
  const equals = record.indexOf('=');
  return equals === -1 ? [record, ''] : [record.slice(0, equals), record.slice(equals + 1)];
}

function malformed(path: string, why: string): TrustFault {
  return new TrustFault('layout.malformed', `cannot read ${quote(path)} as a tar archive: ${why}`);
}
