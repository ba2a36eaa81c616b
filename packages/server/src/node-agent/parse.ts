import { decodeBase64 } from '@bulla/trust/bytes/base64';
import { parseJson } from '@bulla/trust/bytes/json';
import {
  asArray,
  asCount,
  asInstant,
  asObject,
  asOneOf,
  asString,
  type Cursor,
  cursor,
  member,
  optional,
  refuseUnknown,
} from '@bulla/trust/bytes/shape';
import { asFault, quote, TrustFault } from '@bulla/trust/fault/fault';
import { parseDigest } from '@bulla/trust/oci/digest';
import { type NodeAnswer, type NodeQuestion, referenceOf } from '../node/question.ts';

/** The longest line that a verifier sends, in bytes: a descriptor of 64 KiB, and what is around it. */
export const LINE_MOST_BYTES = 128 << 10;

const MALFORMED = 'node.request-invalid';
const NAME_LONGEST = 4096;
const DESCRIPTOR = 'application/vnd.oci.descriptor.v1+json';
const RUN_INPUT = 'application/vnd.containerd.image-verifier.input.v1+json';
const OPERATIONS = ['pull', 'run'] as const;

/** What containerd is about to do. */
export interface VerifierRequest extends NodeQuestion {
  readonly operation: (typeof OPERATIONS)[number];
}

/**
 * A verifier's line: what containerd said by its arguments and on standard input. The descriptor must
 * be of the digest that the arguments say. What containerd passes on of whoever runs the container
 * (annotations) is not looked at. Throws `node.request-invalid`, `node.digest-mismatch`.
 */
export function parseVerifierRequest(line: Uint8Array): VerifierRequest {
  const at = cursor(readJson(line, 'the question', LINE_MOST_BYTES), '', MALFORMED);
  refuseUnknown(at, ['v', 'name', 'digest', 'type', 'operation', 'stdin']);
  if (member(at, 'v').value !== 1)
    throw malformed('expected the question of a verifier of this release');
  const name = asString(member(at, 'name'));
  if (name === '' || name.length > NAME_LONGEST) {
    throw malformed(`expected a name of 1 to ${NAME_LONGEST} characters`);
  }
  const digest = digestOf(member(at, 'digest'));
  const type = asOneOf(member(at, 'type'), [DESCRIPTOR, RUN_INPUT]);
  const said = asOneOf(member(at, 'operation'), ['', ...OPERATIONS]);
  const input = readJson(stdinOf(member(at, 'stdin')), 'the standard input', LINE_MOST_BYTES);
  const root = cursor(input, 'stdin', MALFORMED);
  const isWrapped = type === RUN_INPUT;
  const described = descriptorDigest(isWrapped ? member(root, 'descriptor') : root);
  if (described !== digest) {
    const says = `expected the descriptor of ${quote(digest)}, found that of ${quote(described)}`;
    throw new TrustFault('node.digest-mismatch', says);
  }
  const wrapped = isWrapped ? optional(member(root, 'operation'), asOperation) : undefined;
  if (said !== '' && wrapped !== undefined && said !== wrapped) {
    throw malformed(`expected one operation, found ${said} and ${wrapped}`);
  }
  referenceOf({ name, digest });
  return { name, digest, operation: said === '' ? (wrapped ?? 'pull') : said };
}

function asOperation(at: Cursor): (typeof OPERATIONS)[number] {
  return asOneOf(at, OPERATIONS);
}

/** An OCI descriptor (image-spec descriptor.md), of which the digest matters. */
function descriptorDigest(at: Cursor): string {
  asObject(at);
  asString(member(at, 'mediaType'));
  asCount(member(at, 'size'));
  return digestOf(member(at, 'digest'));
}

function digestOf(at: Cursor): string {
  try {
    return parseDigest(asString(at));
  } catch (cause) {
    throw new TrustFault(MALFORMED, asFault(cause).message, undefined, { cause });
  }
}

function stdinOf(at: Cursor): Uint8Array {
  try {
    return decodeBase64(asString(at), 'stdin');
  } catch (cause) {
    throw new TrustFault(MALFORMED, asFault(cause).message, undefined, { cause });
  }
}

function readJson(bytes: Uint8Array, where: string, maxBytes: number): unknown {
  try {
    return parseJson(bytes, where, { maxBytes });
  } catch (cause) {
    throw new TrustFault(MALFORMED, asFault(cause).message, undefined, { cause });
  }
}

function malformed(message: string): TrustFault {
  return new TrustFault(MALFORMED, message);
}

const ANSWER_MALFORMED = 'node.answer-malformed';
/** A server may say less. */
const FRESH_MOST_MS = 60_000;
const WARNINGS_MOST = 100;

/**
 * The server's answer to a question. Throws `node.answer-malformed`, also for the answer about another
 * digest: nothing of such an answer is used.
 */
export function parseNodeAnswer(document: unknown, { digest }: NodeQuestion): NodeAnswer {
  const at = cursor(document, '', ANSWER_MALFORMED);
  const answer = {
    outcome: asOneOf(member(at, 'outcome'), ['admit', 'deny']),
    digest: asString(member(at, 'digest')),
    decision: asString(member(at, 'decision')),
    code: asString(member(at, 'code')),
    message: asString(member(at, 'message')),
    warnings: asArray(member(at, 'warnings'), asString, WARNINGS_MOST),
    generation: asString(member(at, 'generation')),
    freshForMs: Math.min(asCount(member(at, 'freshForMs')), FRESH_MOST_MS),
    mayStandIn: asBoolean(member(at, 'mayStandIn')),
    validUntil: optional(member(at, 'validUntil'), asInstant)?.toISOString() ?? null,
  } as const;
  if (answer.digest === digest) return answer;
  const says = `expected an answer about ${quote(digest)}, found one about ${quote(answer.digest)}`;
  throw new TrustFault(ANSWER_MALFORMED, says);
}

function asBoolean({ value, path, code }: Cursor): boolean {
  if (typeof value === 'boolean') return value;
  throw new TrustFault(code, `expected true or false at ${path}`);
}
