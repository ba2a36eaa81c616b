import type { AlgorithmName } from '../crypto/algorithm.ts';
import { TrustFault } from '../fault/fault.ts';

/** One SCT of version 1 (RFC 6962 §3.2). */
export interface SignedCertificateTimestamp {
  readonly logId: Uint8Array;
  /** Milliseconds since 1970, as signed. */
  readonly timestamp: bigint;
  readonly time: Date;
  /** CtExtensions as received: part of what is signed. */
  readonly extensions: Uint8Array;
  /** The entry's index that a static-ct log writes in its extensions; null of other logs. */
  readonly leafIndex: bigint | null;
  readonly algorithm: AlgorithmName;
  readonly signature: Uint8Array;
}

// TLS HashAlgorithm and SignatureAlgorithm (RFC 5246 §7.4.1.4.1) of the pairs that logs may use.
const ALGORITHMS: ReadonlyMap<number, AlgorithmName> = new Map([
  [0x0403, 'ecdsa-sha256'],
  [0x0503, 'ecdsa-sha384'],
  [0x0603, 'ecdsa-sha512'],
  [0x0401, 'rsa-pkcs1v15-sha256'],
  [0x0501, 'rsa-pkcs1v15-sha384'],
  [0x0601, 'rsa-pkcs1v15-sha512'],
]);

// The last instant that a Date can hold.
const MAX_TIME = 8_640_000_000_000_000n;
const LIST_LIMIT = 256;

interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

/**
 * The SCTs of a SignedCertificateTimestampList (RFC 6962 §3.3), in order. Throws
 * `x509.sct-malformed`: an empty list, a cut or trailing byte, another version.
 */
export function parseSctList(bytes: Uint8Array): readonly SignedCertificateTimestamp[] {
  const outer: Cursor = { bytes, at: 0 };
  const list: Cursor = { bytes: vector(outer, 2), at: 0 };
  end(outer);
  const scts: SignedCertificateTimestamp[] = [];
  while (list.at < list.bytes.length) {
    scts.push(parseSct(vector(list, 2)));
    if (scts.length > LIST_LIMIT) throw malformed(`has over ${LIST_LIMIT} entries`);
  }
  if (scts.length === 0) throw malformed('is empty');
  return scts;
}

/** One serialized SCT; the header of a detached one has the same fields. Throws as the list. */
export function parseSct(bytes: Uint8Array): SignedCertificateTimestamp {
  const cursor: Cursor = { bytes, at: 0 };
  const version = number(cursor, 1);
  if (version !== 0n) throw malformed(`holds an SCT of version ${version + 1n}`);
  const logId = take(cursor, 32);
  const timestamp = number(cursor, 8);
  if (timestamp > MAX_TIME) throw malformed('holds a time that does not exist');
  const extensions = vector(cursor, 2);
  const pair = Number(number(cursor, 2));
  const algorithm = ALGORITHMS.get(pair);
  if (algorithm === undefined) throw malformed(`holds algorithm 0x${pair.toString(16)}`);
  const signature = vector(cursor, 2);
  end(cursor);
  const time = new Date(Number(timestamp));
  const leafIndex = parseExtensions(extensions);
  return { logId, timestamp, time, extensions, leafIndex, algorithm, signature };
}

/** static-ct-api "SCT Extension": leaf_index is type 0 with 5 bytes; other types are passed over. */
function parseExtensions(bytes: Uint8Array): bigint | null {
  const cursor: Cursor = { bytes, at: 0 };
  let leafIndex: bigint | null = null;
  const types = new Set<bigint>();
  while (cursor.at < bytes.length) {
    const type = number(cursor, 1);
    const data = vector(cursor, 2);
    if (types.has(type)) throw malformed('holds an extension twice');
    types.add(type);
    if (type !== 0n) continue;
    if (data.length !== 5) throw malformed('holds a broken leaf_index');
    leafIndex = number({ bytes: data, at: 0 }, 5);
  }
  return leafIndex;
}

function take(cursor: Cursor, length: number): Uint8Array {
  const until = cursor.at + length;
  if (until > cursor.bytes.length) throw malformed('is cut');
  const part = cursor.bytes.subarray(cursor.at, until);
  cursor.at = until;
  return part;
}

function number(cursor: Cursor, octets: number): bigint {
  return take(cursor, octets).reduce((value, octet) => (value << 8n) | BigInt(octet), 0n);
}

function vector(cursor: Cursor, lengthOctets: number): Uint8Array {
  return take(cursor, Number(number(cursor, lengthOctets)));
}

function end(cursor: Cursor): void {
  if (cursor.at !== cursor.bytes.length) throw malformed('has bytes after its end');
}

function malformed(what: string): TrustFault {
  return new TrustFault('x509.sct-malformed', `the list of SCTs ${what}`);
}
