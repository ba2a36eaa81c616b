import { encodeBase64 } from '../bytes/base64.ts';
import { utf8 } from '../bytes/byte-string.ts';
import { parseJson } from '../bytes/json.ts';
import {
  asArray,
  asBase64,
  asCount,
  asOneOf,
  asString,
  asStringMap,
  type Cursor,
  cursor,
  member,
  optional,
  refuseUnknown,
} from '../bytes/shape.ts';
import { type Code, isCode } from '../fault/codes.ts';
import { asFault, quote, TrustFault } from '../fault/fault.ts';
import type { Finding } from '../finding/finding.ts';
import { asDigest } from '../oci/descriptor.ts';
import { computeDigest, type Digest } from '../oci/digest.ts';
import type { StoredManifest } from '../oci/store.ts';
import type { Evidence, FormatName } from '../proof/evidence.ts';
import type { Gathering } from './material.ts';

/** What was gathered on one node for one question; nothing found is told by an empty list. */
export interface DossierGathered {
  readonly gathering: Gathering;
  readonly evidence: readonly Evidence[];
  /** What could not be read: `fail` or `inconclusive`. */
  readonly problems: readonly Finding[];
}

/** One manifest or index that a decision looked at. */
export interface DossierNode {
  readonly digest: Digest;
  /** Null when the source answered and lacked it. */
  readonly stored: Omit<StoredManifest, 'digest'> | null;
  readonly gathered: readonly DossierGathered[];
}

/** All that a decision looked at: whoever has it can decide again, and touches nothing. */
export interface Dossier {
  /** Canonical name of the source, for people. */
  readonly source: string;
  /** What was decided about; null when it could not be had. */
  readonly root: Digest | null;
  /** Why the root was not at hand; null when it was. */
  readonly problem: Finding | null;
  readonly parents: readonly Digest[];
  readonly nodes: readonly DossierNode[];
}

/** The schema that a dossier names, so that another form can be told from this one. */
export const DOSSIER_SCHEMA = 'https://bulla.dev/schemas/dossier/v1';

/** Largest dossier, in bytes; what one image may make a decision look at comes to less. */
export const DOSSIER_LIMIT: number = 256 << 20;

/**
 * The bytes of a dossier, JSON with its contents in base64; equal for equal dossiers. A piece of
 * evidence that answers several questions is written once. Throws `dossier.malformed` over 256 MiB.
 */
export function writeDossier(dossier: Dossier): Uint8Array {
  const pieces = new Map<string, { readonly index: number; readonly piece: Evidence }>();
  const indexOf = (piece: Evidence): number => {
    const { bytes: _, ...rest } = piece;
    // The digest stands for the bytes.
    const key = JSON.stringify(rest);
    const known = pieces.get(key) ?? { index: pieces.size, piece };
    pieces.set(key, known);
    return known.index;
  };
  const nodes = dossier.nodes.map(({ digest, stored, gathered }) => ({
    digest,
    stored,
    gathered: gathered.map(({ gathering, evidence, problems }) => ({
      gathering,
      evidence: evidence.map(indexOf),
      problems: problems.map(problemJson),
    })),
  }));
  const evidence = [...pieces.values()].map(({ piece }) => piece);
  const contents = [...evidence, ...nodes.flatMap(({ stored }) => stored ?? [])];
  // Before it is one string: that of several large pieces would be longer than any may be.
  requireSize(contents.reduce((sum, { bytes }) => sum + bytes.length, 0));
  const { source, root, problem, parents } = dossier;
  const bytes = utf8(
    JSON.stringify({
      schema: DOSSIER_SCHEMA,
      source,
      root,
      problem: problem && problemJson(problem),
      parents,
      nodes: nodes.map(({ stored, ...node }) => ({ ...node, stored: stored && inBase64(stored) })),
      evidence: evidence.map(inBase64),
    }),
  );
  requireSize(bytes.length);
  return bytes;
}

function inBase64<T extends { readonly bytes: Uint8Array }>(content: T): object {
  return { ...content, bytes: encodeBase64(content.bytes) };
}

function requireSize(sizeBytes: number): void {
  if (sizeBytes <= DOSSIER_LIMIT) return;
  throw new TrustFault(
    'dossier.malformed',
    `expected at most ${DOSSIER_LIMIT} bytes of stored evidence, found ${sizeBytes}`,
  );
}

/** A problem without what led to it: problems of gathering have nothing below them. */
function problemJson({ because: _, needs: __, ...problem }: Finding): object {
  return problem;
}

const FORMATS = ['sigstore-bundle', 'cosign-legacy'] as const satisfies readonly FormatName[];
const MAX_NODES = 2000;
const MAX_PIECES = 100_000;
const CODE = 'dossier.malformed';

/**
 * The dossier in `bytes`. Every manifest and piece of evidence must have the digest that it is kept
 * under, and a problem may be no pass. Throws `dossier.malformed` for anything else, and nothing but
 * TrustFault.
 */
export function readDossier(bytes: Uint8Array): Dossier {
  try {
    const value = parseJson(bytes, 'the dossier', { maxBytes: DOSSIER_LIMIT });
    return asDossier(cursor(value, '', CODE));
  } catch (error) {
    const fault = asFault(error);
    if (fault.code === CODE || fault.code === 'internal.defect') throw fault;
    throw new TrustFault(CODE, fault.message, undefined, { cause: fault });
  }
}

function asDossier(at: Cursor): Dossier {
  refuseUnknown(at, ['schema', 'source', 'root', 'problem', 'parents', 'nodes', 'evidence']);
  asOneOf(member(at, 'schema'), [DOSSIER_SCHEMA]);
  const pieces = asArray(member(at, 'evidence'), asEvidence, MAX_PIECES);
  const dossier: Dossier = {
    source: asString(member(at, 'source')),
    root: optional(member(at, 'root'), asDigest) ?? null,
    problem: optional(member(at, 'problem'), asProblem) ?? null,
    parents: asArray(member(at, 'parents'), asDigest, MAX_NODES),
    nodes: asArray(member(at, 'nodes'), (node) => asNode(node, pieces), MAX_NODES),
  };
  const digests = new Set(dossier.nodes.map(({ digest }) => digest));
  if (digests.size !== dossier.nodes.length) {
    throw new TrustFault(CODE, 'expected each node once, found one several times');
  }
  const { root } = dossier;
  const isHeld = dossier.nodes.some(({ digest, stored }) => digest === root && stored !== null);
  if (isHeld === (dossier.problem === null)) return dossier;
  throw new TrustFault(CODE, 'expected either the root or why it was not at hand');
}

function asNode(at: Cursor, pieces: readonly Evidence[]): DossierNode {
  refuseUnknown(at, ['digest', 'stored', 'gathered']);
  const digest = asDigest(member(at, 'digest'));
  const stored = optional(member(at, 'stored'), (inner) => {
    refuseUnknown(inner, ['mediaType', 'bytes']);
    const bytes = asBase64(member(inner, 'bytes'));
    requireDigest(bytes, digest, inner);
    return { mediaType: asString(member(inner, 'mediaType')), bytes };
  });
  const gathered = asArray(member(at, 'gathered'), (inner) => asGathered(inner, pieces));
  return { digest, stored: stored ?? null, gathered };
}

function asGathered(at: Cursor, pieces: readonly Evidence[]): DossierGathered {
  refuseUnknown(at, ['gathering', 'evidence', 'problems']);
  const asPiece = (inner: Cursor): Evidence => {
    const piece = pieces[asCount(inner)];
    if (piece !== undefined) return piece;
    throw new TrustFault(CODE, `expected a piece of evidence at ${inner.path}, found none`);
  };
  return {
    gathering: asGathering(member(at, 'gathering')),
    evidence: asArray(member(at, 'evidence'), asPiece, MAX_PIECES),
    problems: asArray(member(at, 'problems'), asProblem, MAX_PIECES),
  };
}

function asGathering(at: Cursor): Gathering {
  if (at.value === 'signature') return 'signature';
  refuseUnknown(at, ['predicateType']);
  return { predicateType: asString(member(at, 'predicateType')) };
}

function asEvidence(at: Cursor): Evidence {
  refuseUnknown(at, ['format', 'digest', 'where', 'bytes', 'annotations', 'mediaType']);
  const digest = asDigest(member(at, 'digest'));
  const bytes = asBase64(member(at, 'bytes'));
  requireDigest(bytes, digest, at);
  return {
    format: asOneOf(member(at, 'format'), FORMATS),
    digest,
    where: asString(member(at, 'where')),
    bytes,
    annotations: asStringMap(member(at, 'annotations')),
    mediaType: asString(member(at, 'mediaType')),
  };
}

/** Semantics 5: what is judged is what the digest says. */
function requireDigest(bytes: Uint8Array, digest: Digest, at: Cursor): void {
  const found = computeDigest(bytes, digest);
  if (found === digest) return;
  throw new TrustFault(CODE, `expected ${digest} at ${at.path}, found content of digest ${found}`);
}

/** A problem can only refuse or be inconclusive: stored evidence must not bring its own verdict. */
function asProblem(at: Cursor): Finding {
  refuseUnknown(at, ['check', 'outcome', 'says', 'source', 'code', 'remedy']);
  const source = optional(member(at, 'source'), asString);
  const remedy = optional(member(at, 'remedy'), asString);
  return {
    check: asString(member(at, 'check')),
    outcome: asOneOf(member(at, 'outcome'), ['fail', 'inconclusive']),
    says: asString(member(at, 'says')),
    code: asCode(member(at, 'code')),
    ...(source === undefined ? {} : { source }),
    ...(remedy === undefined ? {} : { remedy }),
  };
}

function asCode(at: Cursor): Code {
  const text = asString(at);
  if (isCode(text)) return text;
  throw new TrustFault(
    at.code,
    `expected a code of docs/errors.md at ${at.path}, found ${quote(text)}`,
  );
}
