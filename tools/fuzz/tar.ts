import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Trial } from './parser.ts';

const BLOCK = 512;
const CHECKSUM = { at: 148, end: 156 } as const;

/** A ustar archive of one file `index.json`, and of a pax header before it; as hexadecimal. */
export function tarSeed(): string {
  const pax = Buffer.from('19 path=index.json\n');
  const content = Buffer.from('{"manifests":[]}');
  return Buffer.concat([
    ...member('pax', 'x', pax),
    ...member('short', '0', content),
    Buffer.alloc(2 * BLOCK),
  ]).toString('hex');
}

/**
 * A trial of a reader that opens an archive by its path: each input is written to a temporary file,
 * every second one with the checksum of its first header mended, so that mutations get past it.
 */
export function tarTrial(read: (path: string) => Promise<unknown>): Trial {
  const folder = mkdtempSync(join(tmpdir(), 'bulla-fuzz-'));
  process.once('exit', () => rmSync(folder, { recursive: true }));
  const path = join(folder, 'input.tar');
  return (bytes) => {
    if (bytes.length >= BLOCK && (bytes.at(-1) ?? 0) % 2 === 0) mend(bytes.subarray(0, BLOCK));
    writeFileSync(path, bytes);
    return read(path);
  };
}

function member(name: string, type: string, content: Uint8Array): readonly Uint8Array[] {
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0);
  header.write(content.length.toString(8).padStart(11, '0'), 124);
  header.write(type, 156);
  header.write('ustar\u000000', 257);
  mend(header);
  return [header, Buffer.concat([content, Buffer.alloc(BLOCK)]).subarray(0, BLOCK)];
}

/** Writes the checksum that POSIX asks for: the sum of all bytes, its own field as spaces. */
function mend(header: Uint8Array): void {
  header.fill(0x20, CHECKSUM.at, CHECKSUM.end);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.set(Buffer.from(`${sum.toString(8).padStart(6, '0')}\0 `), CHECKSUM.at);
}
