import { TrustFault } from '../fault/fault.ts';
import { TREE_HASH_BYTES } from './tree-hash.ts';

/** Hashes in a full tile: 2^8 (C2SP tlog-tiles §Merkle Tree). */
export const TILE_WIDTH = 256;
const MAX_LEVEL = 63;
const LENGTH_BYTES = 2;

/**
 * The path of a tile below the log's prefix: `tile/<level>/<index>` with the index in groups of
 * three digits, all but the last with `x` before them, and `.p/<width>` for a partial tile of 1 to
 * 255 hashes (C2SP tlog-tiles §Merkle Tree).
 */
export function tilePath(level: number, index: bigint, width: number = TILE_WIDTH): string {
  if (!Number.isInteger(level) || level < 0 || level > MAX_LEVEL) {
    throw new TrustFault('tlog.tile-malformed', `expected a tile level of 0 to 63, found ${level}`);
  }
  return `tile/${level}/${indexPath(index, width)}`;
}

/** The path of a bundle of entries: as `tilePath`, with `entries` for the level. */
export function entryBundlePath(index: bigint, width: number = TILE_WIDTH): string {
  return `tile/entries/${indexPath(index, width)}`;
}

function indexPath(index: bigint, width: number): string {
  if (index < 0n || !Number.isInteger(width) || width < 1 || width > TILE_WIDTH) {
    throw new TrustFault(
      'tlog.tile-malformed',
      `expected a tile of 1 to ${TILE_WIDTH} hashes, found tile ${index} of ${width}`,
    );
  }
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  const groups = padded.match(/\d{3}/g) ?? [];
  const path = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/');
  return width === TILE_WIDTH ? path : `${path}.p/${width}`;
}

/** The hashes of a tile of `width`, left to right. Throws `tlog.tile-malformed`. */
export function parseTile(bytes: Uint8Array, width: number, where: string): readonly Uint8Array[] {
  if (bytes.length !== width * TREE_HASH_BYTES) {
    throw new TrustFault(
      'tlog.tile-malformed',
      `expected ${width} hashes in ${where}, found ${bytes.length} bytes`,
    );
  }
  return Array.from({ length: width }, (_, at) =>
    bytes.subarray(at * TREE_HASH_BYTES, (at + 1) * TREE_HASH_BYTES),
  );
}

/**
 * The entries of a bundle: each a big-endian 16-bit length and so many bytes (C2SP tlog-tiles
 * §Log Entries), 1 to 256 of them. Throws `tlog.tile-malformed`.
 */
export function parseEntryBundle(bytes: Uint8Array, where: string): readonly Uint8Array[] {
  const entries: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    const [high = 0, low] = bytes.subarray(at, at + LENGTH_BYTES);
    const start = at + LENGTH_BYTES;
    const end = start + high * 256 + (low ?? 0);
    if (low === undefined || end > bytes.length || entries.length === TILE_WIDTH) {
      throw new TrustFault('tlog.tile-malformed', `${where} is cut or holds too many entries`);
    }
    entries.push(bytes.subarray(start, end));
    at = end;
  }
  if (entries.length === 0) throw new TrustFault('tlog.tile-malformed', `${where} is empty`);
  return entries;
}
