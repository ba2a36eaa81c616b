import { encodeBase64 } from '@bulla/trust/bytes/base64';
import { concat, utf8 } from '@bulla/trust/bytes/byte-string';
import { decodeHex, encodeHex } from '@bulla/trust/bytes/hex';
import {
  ALGORITHMS,
  SIGSTORE_ALGORITHMS,
  type SignatureAlgorithm,
} from '@bulla/trust/crypto/algorithm';
import type { PublicKey } from '@bulla/trust/crypto/public-key';
import type { Signer } from '@bulla/trust/crypto/signer';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { type Checkpoint, verifyCheckpoint } from '@bulla/trust/tlog/checkpoint';
import { noteKeyHints } from '@bulla/trust/tlog/note';
import type { ChainEnd } from './chain.ts';

/** What a signed head says: the record's last entry at an instant. */
export interface Head extends ChainEnd {
  readonly at: Date;
}

/** What an anchor says: entries up to `seq` were removed by retention, and how many in all. */
export interface Anchor extends Head {
  readonly count: number;
  /** Times of the first entry ever removed, and of the last. */
  readonly from: Date;
  readonly to: Date;
}

/** A record by its name, and the keys that may sign for it. */
export interface RecordKeys {
  /** `<host>/record`: the origin line of its notes. */
  readonly origin: string;
  readonly keys: readonly PublicKey[];
}

/** The origin of the record of `host`. Throws `record.head-invalid` for what no note may be named. */
export function recordOrigin(host: string): string {
  const origin = `${host}/record`;
  // C2SP signed-note §Format: a name has neither spaces nor a plus.
  if (!/^[^\s+]+$/u.test(origin) || host === '') {
    throw new TrustFault('record.head-invalid', `expected a host, found ${quote(host)}`);
  }
  return origin;
}

/**
 * A head as a C2SP signed note with the lines of a checkpoint: origin, number, hash, and an
 * extension line `time`. The hash is the chain's, not a tree's; the origin tells them apart.
 */
export function signHeadNote(signer: Signer, origin: string, head: Head): Promise<string> {
  return signNote(signer, origin, head, [`time ${head.at.toISOString()}`]);
}

/** An anchor, under an origin of its own: `<host>/record/pruned`. */
export function signAnchorNote(signer: Signer, origin: string, anchor: Anchor): Promise<string> {
  return signNote(signer, anchorOrigin(origin), anchor, [
    `time ${anchor.at.toISOString()}`,
    `count ${anchor.count}`,
    `from ${anchor.from.toISOString()}`,
    `to ${anchor.to.toISOString()}`,
  ]);
}

function anchorOrigin(origin: string): string {
  return `${origin}/pruned`;
}

/** An anchor is signed within a transaction: a key store that hangs must not hold up decisions. */
const SIGN_MS = 2000;

async function signNote(
  signer: Signer,
  origin: string,
  end: ChainEnd,
  lines: readonly string[],
): Promise<string> {
  const hash = encodeBase64(decodeHex(end.hash));
  const text = `${[origin, end.seq, hash, ...lines].join('\n')}\n`;
  const signature = await signer.sign(utf8(text), { signal: AbortSignal.timeout(SIGN_MS) });
  const [hint = new Uint8Array(4)] = noteKeyHints(origin, signer.publicKey);
  return `${text}\n\u2014 ${origin} ${encodeBase64(concat(hint, signature))}\n`;
}

/** The head of a note. Throws `record.head-invalid` unless one of the record's keys signed it. */
export async function openHeadNote(note: string, record: RecordKeys): Promise<Head> {
  const invalid = (says: string) => new TrustFault('record.head-invalid', says);
  const { end, extensions } = await openNote(note, record.origin, record.keys, invalid);
  const [time, ...rest] = extensions;
  const at = instantOf(time, 'time');
  if (at === null || rest.length > 0) throw invalid('expected one line "time" after the hash');
  return { ...end, at };
}

/** The anchor of a note. Throws `record.anchor-invalid` unless one of the record's keys signed it. */
export async function openAnchorNote(note: string, record: RecordKeys): Promise<Anchor> {
  const invalid = (says: string) => new TrustFault('record.anchor-invalid', says);
  const origin = anchorOrigin(record.origin);
  const { end, extensions } = await openNote(note, origin, record.keys, invalid);
  const at = instantOf(extensions[0], 'time');
  const [, count] = /^count (0|[1-9]\d{0,15})$/.exec(extensions[1] ?? '') ?? [];
  const from = instantOf(extensions[2], 'from');
  const to = instantOf(extensions[3], 'to');
  const isWhole = at !== null && count !== undefined && from !== null && to !== null;
  if (!isWhole || extensions.length !== 4) throw invalid('expected time, count, from and to');
  return { ...end, at, count: Number(count), from, to };
}

function instantOf(line: string | undefined, name: string): Date | null {
  if (line === undefined || !line.startsWith(`${name} `)) return null;
  const text = line.slice(name.length + 1);
  const at = new Date(text);
  return Number.isNaN(at.getTime()) || at.toISOString() !== text ? null : at;
}

async function openNote(
  note: string,
  origin: string,
  keys: readonly PublicKey[],
  invalid: (says: string) => TrustFault,
): Promise<{ readonly end: ChainEnd; readonly extensions: readonly string[] }> {
  let says = 'no key of the record is known';
  for (const key of keys) {
    const algorithm = recordAlgorithm(key);
    const logId = new Uint8Array();
    const log = {
      baseUrl: '',
      origin,
      key,
      algorithm,
      logId,
      validFor: { start: null, end: null },
    };
    const answer = await verifyCheckpoint({ checkpoint: note, log });
    if (answer.checkpoint !== null) return endOf(answer.checkpoint, invalid);
    says = answer.finding.says;
  }
  throw invalid(says);
}

function endOf(
  { size, rootHash, extensions }: Checkpoint,
  invalid: (says: string) => TrustFault,
): { readonly end: ChainEnd; readonly extensions: readonly string[] } {
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw invalid(`a number of ${size}`);
  return { end: { seq: Number(size), hash: encodeHex(rootHash) }, extensions };
}

/** The one algorithm by which a key of this kind signs the record. */
export function recordAlgorithm({ kind }: PublicKey): SignatureAlgorithm {
  return ALGORITHMS[SIGSTORE_ALGORITHMS[kind][0]];
}
