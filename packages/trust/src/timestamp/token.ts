import {
  DER,
  type DerValue,
  derBoolean,
  derChildren,
  derInteger,
  derOctetString,
  derOid,
  derSequence,
  derText,
  derTime,
  expectTag,
  readDer,
} from '../bytes/der.ts';
import type { HashName } from '../bytes/hash.ts';
import { asFault, quote, TrustFault } from '../fault/fault.ts';
import { parseDigestIdentifier } from '../x509/algorithm-identifier.ts';
import { parseSignedData, type SignedData } from '../x509/cms.ts';
import { parseExtensions } from '../x509/extensions.ts';

/** The digest that was timestamped; `hash` is null for one that Bulla does not compute. */
export interface MessageImprint {
  /** Object identifier of the digest. */
  readonly oid: string;
  readonly hash: HashName | null;
  readonly digest: Uint8Array;
}

/** An RFC 3161 timestamp that was read and not yet checked against anything. */
export interface Timestamp {
  /** Object identifier of the authority's policy. */
  readonly policy: string;
  readonly imprint: MessageImprint;
  readonly serial: bigint;
  readonly genTime: Date;
  /** How far off `genTime` may be, either way; null when the authority does not say. */
  readonly accuracyMs: number | null;
  readonly ordering: boolean;
  readonly nonce: bigint | null;
  /** The CMS that carries it. */
  readonly signedData: SignedData;
}

/** Content type of a timestamp (RFC 3161 §2.4.2). */
export const TST_INFO = '1.2.840.113549.1.9.16.1.4';

const MAX_TIMESTAMP_BYTES = 128 * 1024;
const WHERE = 'timestamp';

/**
 * Reads a TimeStampResp that grants, or a bare token, in DER. Throws `timestamp.malformed`,
 * `timestamp.refused` (a response that grants nothing), `crypto.algorithm-unknown` and
 * `x509.limit`.
 */
export function parseTimestamp(bytes: Uint8Array): Timestamp {
  if (bytes.length > MAX_TIMESTAMP_BYTES) {
    throw new TrustFault('timestamp.malformed', `a timestamp of ${bytes.length} bytes`);
  }
  try {
    // Views of a plain Uint8Array are several times cheaper than those of a Buffer.
    const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    const signedData = parseSignedData(tokenOf(readDer(plain, WHERE)), WHERE);
    if (signedData.contentType !== TST_INFO) {
      throw malformed(`content of type ${signedData.contentType}`);
    }
    return { ...parseInfo(signedData.content), signedData };
  } catch (error) {
    throw asTimestampFault(error);
  }
}

/** One code for what is wrong with the encoding, whichever layer found it. */
function asTimestampFault(error: unknown): TrustFault {
  const fault = asFault(error);
  const isEncoding = /^(der\.|x509\.cms-malformed$|x509\.malformed$)/.test(fault.code);
  if (!isEncoding) return fault;
  return new TrustFault('timestamp.malformed', fault.message, undefined, { cause: fault });
}

/** TimeStampResp (RFC 3161 §2.4.2) begins with a status, a token with an object identifier. */
function tokenOf(outer: DerValue): DerValue {
  const [first, token, ...rest] = derSequence(outer, WHERE);
  if (first?.tag === DER.oid) return outer;
  refuseUnlessGranted(derSequence(first, WHERE));
  if (token === undefined || rest.length > 0) throw malformed('not one token after the status');
  return token;
}

// RFC 3161 §2.4.2 PKIFailureInfo.
const FAILURES: Readonly<Record<number, string>> = {
  0: 'badAlg',
  2: 'badRequest',
  5: 'badDataFormat',
  14: 'timeNotAvailable',
  15: 'unacceptedPolicy',
  16: 'unacceptedExtension',
  17: 'addInfoNotAvailable',
  25: 'systemFailure',
};

function refuseUnlessGranted([status, ...details]: readonly DerValue[]): void {
  const number = derInteger(status, WHERE);
  const texts = details.find((detail) => detail.tag === DER.sequence);
  const text =
    texts === undefined
      ? ''
      : derChildren(texts, WHERE)
          .map((part) => derText(part, WHERE))
          .join(' ');
  const failure = details.find((detail) => detail.tag === DER.bitString);
  // 0 is granted, 1 is granted with modifications; a failure stands only where nothing is granted.
  if ((number === 0n || number === 1n) && failure === undefined) return;
  const reasons = failure === undefined ? [] : failures(failure.content.subarray(1));
  throw new TrustFault(
    'timestamp.refused',
    `the authority answered with status ${number} ${reasons.join(' ')} ${quote(text)}`,
  );
}

function failures(bits: Uint8Array): readonly string[] {
  return Object.entries(FAILURES).flatMap(([bit, name]) =>
    ((bits[Number(bit) >> 3] ?? 0) & (0x80 >> (Number(bit) & 7))) === 0 ? [] : [name],
  );
}

/** TSTInfo (RFC 3161 §2.4.2). */
function parseInfo(content: Uint8Array): Omit<Timestamp, 'signedData'> {
  const [version, policy, imprint, serial, genTime, ...rest] = derSequence(
    readDer(content, WHERE),
    WHERE,
  );
  if (derInteger(version, WHERE) !== 1n) throw malformed('another version than 1');
  const options = parseOptions(rest);
  refuseCriticalExtensions(options.get(0xa1));
  const accuracy = options.get(DER.sequence);
  const ordering = options.get(DER.boolean);
  const nonce = options.get(DER.integer);
  return {
    policy: derOid(policy, WHERE),
    imprint: parseImprint(imprint),
    serial: derInteger(serial, WHERE),
    genTime: derTime(expectTag(genTime, DER.generalizedTime, WHERE), WHERE),
    accuracyMs: accuracy === undefined ? null : parseAccuracy(accuracy),
    ordering: ordering !== undefined && derBoolean(ordering, WHERE),
    nonce: nonce === undefined ? null : derInteger(nonce, WHERE),
  };
}

/** The optional fields by tag; they stand in this order, each at most once. */
function parseOptions(rest: readonly DerValue[]): ReadonlyMap<number, DerValue> {
  const order: readonly number[] = [DER.sequence, DER.boolean, DER.integer, 0xa0, 0xa1];
  let before = -1;
  for (const { tag } of rest) {
    const at = order.indexOf(tag);
    if (at <= before) throw malformed('a field that is unknown, twice or out of order');
    before = at;
  }
  return new Map(rest.map((value) => [value.tag, value]));
}

function parseImprint(value: DerValue | undefined): MessageImprint {
  const [algorithm, digest, ...rest] = derSequence(value, WHERE);
  if (rest.length > 0) throw malformed('a message imprint of more than two parts');
  return { ...parseDigestIdentifier(algorithm, WHERE), digest: derOctetString(digest, WHERE) };
}

/** Accuracy: seconds, then milliseconds and microseconds of 1 to 999 each. */
function parseAccuracy(value: DerValue): number {
  let ms = 0;
  let before = 0;
  for (const part of derChildren(value, WHERE)) {
    const number = Number(derInteger({ ...part, tag: DER.integer }, WHERE));
    const unit = part.tag === DER.integer ? 1000 : part.tag === 0x80 ? 1 : 0.001;
    const most = unit === 1000 ? Number.MAX_SAFE_INTEGER / 1000 : 999;
    const known = part.tag === DER.integer || part.tag === 0x80 || part.tag === 0x81;
    if (!known || part.tag <= before || number < 0 || number > most) throw malformed('an accuracy');
    before = part.tag;
    ms += number * unit;
  }
  return ms;
}

/** RFC 3161 §2.4.2: extensions as in RFC 5280, so a critical one that is not known refuses. */
function refuseCriticalExtensions(value: DerValue | undefined): void {
  if (value === undefined) return;
  for (const [oid, { critical }] of parseExtensions({ ...value, tag: DER.sequence }, WHERE)) {
    if (critical) throw malformed(`the critical extension ${oid}`);
  }
}

function malformed(what: string): TrustFault {
  return new TrustFault('timestamp.malformed', `the timestamp has ${what}`);
}
