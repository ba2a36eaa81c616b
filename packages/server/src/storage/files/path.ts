import { checkName } from '../name.ts';

// A file system takes 255 bytes in one name; longer segments go on in a folder below.
const PIECE_LONGEST = 200;
const GOES_ON = '+';
const FILE = '=';
const PLAIN = /^[A-Za-z0-9_.-]$/;

/**
 * The relative path of a name. Every character but letters, digits, `_`, `-` and an inner `.` is
 * written as `%XX` of its UTF-8 bytes, so no name is `..`, hidden, absolute or a device; a file ends
 * in `=`, so `a` and `a/b` do not collide; a piece of a long segment ends in `+`. `nameOf` is the
 * inverse. Throws `storage.name-invalid`.
 */
export function pathOf(name: string): string {
  checkName(name);
  return `${name.split('/').map(encode).join('/')}${FILE}`;
}

/** The relative path of the folder of a prefix that was checked by `checkPrefix`; empty for "". */
export function folderOf(prefix: string): string {
  return prefix === '' ? '' : prefix.slice(0, -1).split('/').map(encode).join('/');
}

/** The name of a relative path that `pathOf` made, or null for any other. */
export function nameOf(path: string): string | null {
  if (!path.endsWith(FILE)) return null;
  const joined = path.slice(0, -FILE.length).replaceAll(`${GOES_ON}/`, '');
  try {
    const name = joined.split('/').map(decodeURIComponent).join('/');
    return pathOf(name) === path ? name : null;
  } catch {
    return null;
  }
}

function encode(segment: string): string {
  const pieces: string[] = [];
  let piece = '';
  for (const character of segment) {
    const next = isPlain(character, piece, pieces) ? character : escaped(character);
    if (piece.length + next.length > PIECE_LONGEST) {
      pieces.push(piece + GOES_ON);
      piece = next === '.' ? '%2E' : next;
    } else {
      piece += next;
    }
  }
  pieces.push(piece);
  return pieces.join('/');
}

function isPlain(character: string, piece: string, pieces: readonly string[]): boolean {
  const first = piece === '' && pieces.length === 0;
  return PLAIN.test(character) && !(first && character === '.');
}

function escaped(character: string): string {
  let text = '';
  for (const byte of Buffer.from(character)) {
    text += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}
