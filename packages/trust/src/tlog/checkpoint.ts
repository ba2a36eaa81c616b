import { decodeBase64 } from '../bytes/base64.ts';
import { equalBytes, utf8 } from '../bytes/byte-string.ts';
import { encodeHex } from '../bytes/hex.ts';
import type { PublicKey } from '../crypto/public-key.ts';
import { verifySignature } from '../crypto/verify-signature.ts';
import { quote, TrustFault } from '../fault/fault.ts';
import { type Finding, failed, failedBy, passed } from '../finding/finding.ts';
import type { LogKey } from './log-key.ts';
import { type Note, type NoteSignature, noteKeyHints, parseNote } from './note.ts';
import { TREE_HASH_BYTES } from './tree-hash.ts';

/** What a log's checkpoint says about its tree (C2SP tlog-checkpoint). */
export interface Checkpoint {
  readonly origin: string;
  readonly size: bigint;
  readonly rootHash: Uint8Array;
  /** Lines after the root, which verifiers ignore. */
  readonly extensions: readonly string[];
}

/** The outcome of verifying a checkpoint, and its content when it holds. */
export interface CheckpointAnswer {
  readonly finding: Finding;
  readonly checkpoint: Checkpoint | null;
}

const CHECK = 'tlog.checkpoint';
const SOURCE = 'C2SP tlog-checkpoint, signed-note §Signatures';
const MAX_EXTENSIONS = 64;

/** The checkpoint in a note's text. Throws `tlog.note-malformed`. */
export function parseCheckpoint(note: Note, where = 'checkpoint'): Checkpoint {
  const malformed = (what: string) =>
    new TrustFault('tlog.note-malformed', `the checkpoint at ${where}: ${what}`);
  const [origin = '', size = '', root = '', ...rest] = note.text.split('\n');
  // The text ends in a newline: what stands after it is empty.
  if (rest.pop() !== '') throw malformed('fewer than three lines');
  if (origin === '') throw malformed('an empty origin');
  // tlog-checkpoint §Note text: ASCII decimal, no leading zeroes.
  if (!/^(0|[1-9][0-9]{0,18})$/.test(size)) throw malformed(`a size of ${quote(size)}`);
  if (rest.length > MAX_EXTENSIONS) throw malformed(`over ${MAX_EXTENSIONS} extension lines`);
  if (rest.includes('')) throw malformed('an empty extension line');
  let rootHash: Uint8Array;
  try {
    rootHash = decodeBase64(root, where);
  } catch {
    throw malformed(`expected a root hash in base64, found ${quote(root)}`);
  }
  if (rootHash.length !== TREE_HASH_BYTES) throw malformed(`a root of ${rootHash.length} bytes`);
  return { origin, size: BigInt(size), rootHash, extensions: rest };
}

/**
 * Whether `checkpoint` is `log`'s: its origin is the log's and the log's key signed it. Signatures
 * of other keys are ignored; each one that claims the log's name and key must verify. A Rekor v1
 * log (its id is the SHA-256 of its SPKI) writes `<name> - <tree id>` as origin, where the name is
 * the server's own and need not be its public host. Codes: `tlog.note-malformed`,
 * `tlog.checkpoint-origin`, `tlog.checkpoint-signature`. Never throws for what the text holds.
 */
export async function verifyCheckpoint(options: {
  readonly checkpoint: string;
  readonly log: LogKey;
}): Promise<CheckpointAnswer> {
  const { log } = options;
  let note: Note;
  let checkpoint: Checkpoint;
  try {
    note = parseNote(options.checkpoint, 'the checkpoint');
    checkpoint = parseCheckpoint(note, 'the checkpoint');
  } catch (error) {
    return { finding: failedBy(CHECK, error, SOURCE), checkpoint: null };
  }
  const name = signerName(checkpoint.origin, log);
  if (name === null) {
    const says = `expected the origin ${quote(log.origin)}, found ${quote(checkpoint.origin)}`;
    return refused('tlog.checkpoint-origin', says);
  }
  const claiming = signaturesOf(note, name, log.key);
  if (claiming.length === 0) {
    return refused('tlog.checkpoint-signature', `no signature line is by the key of ${log.origin}`);
  }
  const text = utf8(note.text);
  for (const { signature } of claiming) {
    if (!(await verifySignature(log.key, log.algorithm, text, signature))) {
      const says = `a signature that claims the key of ${log.origin} does not verify`;
      return refused('tlog.checkpoint-signature', says);
    }
  }
  const says = `${log.origin} signed the tree of ${checkpoint.size} entries with root ${encodeHex(checkpoint.rootHash)}`;
  return { finding: passed(CHECK, says, SOURCE), checkpoint };
}

function refused(
  code: 'tlog.checkpoint-origin' | 'tlog.checkpoint-signature',
  says: string,
): CheckpointAnswer {
  return { finding: failed(CHECK, code, says, SOURCE), checkpoint: null };
}

/** The name that the log signs under when `origin` may be its own; null when it is another log's. */
function signerName(origin: string, log: LogKey): string | null {
  if (origin === log.origin) return origin;
  // rekor pkg/util/checkpoint.go: the origin is "<host name> - <tree id>", the name the host name.
  const [, name] = /^(\S+) - [0-9]+$/.exec(origin) ?? [];
  return name !== undefined && encodeHex(log.logId) === log.key.id ? name : null;
}

/** signed-note §Signatures: name and key id together say whose a signature is. */
function signaturesOf(note: Note, name: string, key: PublicKey): readonly NoteSignature[] {
  const hints = noteKeyHints(name, key);
  return note.signatures.filter(
    (line) => line.name === name && hints.some((hint) => equalBytes(hint, line.keyHint)),
  );
}
