import { decodeBase64 } from '../bytes/base64.ts';
import { utf8 } from '../bytes/byte-string.ts';
import { digestOfParts } from '../bytes/hash.ts';
import type { PublicKey } from '../crypto/public-key.ts';
import { quote, TrustFault } from '../fault/fault.ts';

/** One signature line of a note; nothing of it is trusted. */
export interface NoteSignature {
  readonly name: string;
  /** The four bytes that say which key of that name signed. */
  readonly keyHint: Uint8Array;
  readonly signature: Uint8Array;
}

/** A signed note (C2SP signed-note): the text that is signed, with its final newline. */
export interface Note {
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** C2SP asks for 16 at least; post-quantum cosignatures take about 5 kB each. */
const MAX_SIGNATURES = 64;
const MAX_BYTES = 512 << 10;
const HINT_BYTES = 4;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function malformed(where: string, what: string): TrustFault {
  return new TrustFault('tlog.note-malformed', `the note at ${where}: ${what}`);
}

/**
 * The text and the signature lines of a note in C2SP signed-note form: text ending in a newline,
 * an empty line, then 1 to 64 lines `— name base64(hint || signature)`. Signatures of unknown keys
 * are kept: who verifies ignores them. Throws `tlog.note-malformed`.
 */
export function parseNote(note: string | Uint8Array, where = 'note'): Note {
  const whole = typeof note === 'string' ? note : decode(note, where);
  if (whole.length > MAX_BYTES) throw malformed(where, `more than ${MAX_BYTES} characters`);
  // The signature is over UTF-8: a lone surrogate has no encoding, so other bytes would be checked.
  if (!whole.isWellFormed()) throw malformed(where, 'a lone surrogate');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: C2SP signed-note §Format forbids them
  if (/[\u0000-\u0009\u000b-\u001f]/.test(whole)) throw malformed(where, 'a control character');
  // §Format: the text is separated from the signatures by the last empty line in the note.
  const end = whole.lastIndexOf('\n\n');
  if (end === -1) throw malformed(where, 'no empty line before the signatures');
  const lines = whole.slice(end + 2).split('\n');
  if (lines.pop() !== '' || lines.length === 0) throw malformed(where, 'no signature line');
  if (lines.length > MAX_SIGNATURES) throw malformed(where, `over ${MAX_SIGNATURES} signatures`);
  return {
    text: whole.slice(0, end + 1),
    signatures: lines.map((line) => parseSignatureLine(line, where)),
  };
}

function decode(bytes: Uint8Array, where: string): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new TrustFault('tlog.note-malformed', `${where} is not UTF-8`, undefined, { cause });
  }
}

function parseSignatureLine(line: string, where: string): NoteSignature {
  // §Format: em dash (U+2014), space, key name without Unicode spaces or plus, space, base64.
  const match = /^\u2014 ([^\s+]+) ([A-Za-z0-9+/=]+)$/u.exec(line);
  const [, name, base64] = match ?? [];
  if (name === undefined || base64 === undefined) {
    throw malformed(where, `expected a signature line, found ${quote(line)}`);
  }
  let bytes: Uint8Array;
  try {
    bytes = decodeBase64(base64, where);
  } catch {
    throw malformed(where, `the signature of ${quote(name)} is not base64`);
  }
  if (bytes.length <= HINT_BYTES) throw malformed(where, `the signature of ${quote(name)} is cut`);
  return { name, keyHint: bytes.subarray(0, HINT_BYTES), signature: bytes.subarray(HINT_BYTES) };
}

/**
 * The untruncated key ids (32 bytes) under which `key` may sign notes as `name`, the C2SP one
 * first. ECDSA: SHA-256 of the SPKI (signed-note, type 0x02). Ed25519 and RSA: SHA-256 of name,
 * newline, type and key; Rekor v1 names these two by their SPKI as well (rekor-tiles pkg/note).
 */
export function noteKeyIds(name: string, key: PublicKey): readonly Uint8Array[] {
  const bySpki = digestOfParts('sha256', key.spki);
  const prefix = utf8(`${name}\n`);
  if (key.kind === 'ed25519') {
    const raw = key.spki.subarray(-32);
    return [digestOfParts('sha256', prefix, Uint8Array.of(1), raw), bySpki];
  }
  if (key.kind.startsWith('rsa-')) {
    const type = utf8('PKIX-RSA-PKCS#1v1.5');
    return [digestOfParts('sha256', prefix, Uint8Array.of(0xff), type, key.spki), bySpki];
  }
  return [bySpki];
}

/** The four-byte hints that a signature line of `key` under `name` may carry. */
export function noteKeyHints(name: string, key: PublicKey): readonly Uint8Array[] {
  return noteKeyIds(name, key).map((id) => id.subarray(0, HINT_BYTES));
}
