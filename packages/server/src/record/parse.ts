import { utf8 } from '@bulla/trust/bytes/byte-string';
import { parseJson } from '@bulla/trust/bytes/json';
import {
  asArray,
  asCount,
  asObject,
  asOneOf,
  asString,
  type Cursor,
  cursor,
  member,
  optional,
} from '@bulla/trust/bytes/shape';
import { isCode } from '@bulla/trust/fault/codes';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { Finding, Needs } from '@bulla/trust/finding/finding';
import type { FindingJson } from '@bulla/trust/finding/render-json';
import type { ObjectFacts } from '../decision/made.ts';
import type { ActBody, Body, DecisionBody, PrunedBody, Repeat, RepeatsBody } from './body.ts';

const EFFECTS = ['pass', 'warn', 'audit', 'deny'] as const;
const SURFACES = ['pull', 'admission', 'gate', 'node', 'watch'] as const;
const OUTCOMES = ['pass', 'fail', 'inconclusive', 'skipped'] as const;

/**
 * The body of an entry from its text. Members that this release does not know are left out: a later
 * one may have written them. Throws `record.entry-malformed`.
 */
export function parseBody(text: string, where: string): Body {
  const at = cursor(readJson(text, where), where, 'record.entry-malformed');
  const kind = asOneOf(member(at, 'kind'), ['decision', 'repeats', 'pruned', 'act']);
  switch (kind) {
    case 'decision':
      return parseDecision(at);
    case 'repeats':
      return parseRepeats(at);
    case 'pruned':
      return parsePruned(at);
    case 'act':
      return parseAct(at);
    default:
      return kind satisfies never;
  }
}

function readJson(text: string, where: string): unknown {
  try {
    return parseJson(utf8(text), where);
  } catch (cause) {
    throw new TrustFault('record.entry-malformed', `${where} is not JSON`, undefined, { cause });
  }
}

function parseDecision(at: Cursor): DecisionBody {
  const text = (name: string) => asString(member(at, name));
  const nullable = (name: string) => optional(member(at, name), asString) ?? null;
  const list = (name: string) => asArray(member(at, name), asString);
  const request = member(at, 'request');
  const object = optional(member(request, 'object'), parseObject);
  return {
    kind: 'decision',
    id: text('id'),
    at: text('at'),
    decidedAt: text('decidedAt'),
    request: {
      id: asString(member(request, 'id')),
      remoteAddress: asString(member(request, 'remoteAddress')),
      userAgent: asString(member(request, 'userAgent')),
      ...(object === undefined ? {} : { object }),
    },
    actor: parseActor(member(at, 'actor')),
    surface: asOneOf(member(at, 'surface'), SURFACES),
    namespace: nullable('namespace'),
    environment: nullable('environment'),
    reference: text('reference'),
    repository: text('repository'),
    tag: nullable('tag'),
    digest: nullable('digest'),
    covers: list('covers'),
    outcome: asOneOf(member(at, 'outcome'), ['admit', 'deny']),
    effect: asOneOf(member(at, 'effect'), EFFECTS),
    code: nullable('code'),
    policies: asArray(member(at, 'policies'), (policy) => ({
      name: asString(member(policy, 'name')),
      hash: asString(member(policy, 'hash')),
      mode: asString(member(policy, 'mode')),
      effect: asOneOf(member(policy, 'effect'), EFFECTS),
    })),
    policySetHash: text('policySetHash'),
    trustRootVersion: text('trustRootVersion'),
    evidence: list('evidence'),
    finding: parseFinding(member(at, 'finding')),
    warnings: list('warnings'),
    // Entries of before there were exceptions have none.
    exceptions: optional(member(at, 'exceptions'), (items) => asArray(items, parseException)) ?? [],
    cache: asOneOf(member(at, 'cache'), ['miss', 'hit', 'last-known-good']),
    durationMs: asNumber(member(at, 'durationMs')),
    validUntil: nullable('validUntil'),
    dossier: nullable('dossier'),
    cut: list('cut'),
  };
}

function parseException(at: Cursor): DecisionBody['exceptions'][number] {
  const text = (name: string) => asString(member(at, name));
  return {
    id: text('id'),
    name: text('name'),
    kind: asOneOf(member(at, 'kind'), ['exception', 'break-glass']),
    requester: text('requester'),
    approver: optional(member(at, 'approver'), asString) ?? null,
    reason: text('reason'),
    expires: text('expires'),
    policy: text('policy'),
    clauses: asArray(member(at, 'clauses'), asString),
  };
}

const ACTORS = ['user', 'token', 'anonymous', 'kubernetes', 'node', 'system'] as const;

function parseActor(at: Cursor): DecisionBody['actor'] {
  return {
    kind: asOneOf(member(at, 'kind'), ACTORS),
    id: asString(member(at, 'id')),
    name: asString(member(at, 'name')),
  };
}

function parseObject(at: Cursor): ObjectFacts {
  const nullable = (name: string) => optional(member(at, name), asString) ?? null;
  return {
    cluster: nullable('cluster'),
    apiVersion: asString(member(at, 'apiVersion')),
    kind: asString(member(at, 'kind')),
    namespace: nullable('namespace'),
    name: nullable('name'),
    operation: asString(member(at, 'operation')),
  };
}

function parseAct(at: Cursor): ActBody {
  const text = (name: string) => asString(member(at, name));
  const names = Object.keys(asObject(member(at, 'detail')));
  const detail = names.map((name) => [name, parseDetail(member(member(at, 'detail'), name))]);
  return {
    kind: 'act',
    id: text('id'),
    at: text('at'),
    actor: parseActor(member(at, 'actor')),
    act: text('act'),
    subject: text('subject'),
    says: text('says'),
    detail: Object.fromEntries(detail),
  };
}

function parseDetail(at: Cursor): ActBody['detail'][string] {
  const { value } = at;
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return value;
  return Array.isArray(value) ? asArray(at, asString) : asString(at);
}

function asNumber(at: Cursor): number {
  if (typeof at.value === 'number') return at.value;
  throw new TrustFault(at.code, `expected a number at ${at.path}`);
}

function parseRepeats(at: Cursor): RepeatsBody {
  const items = asArray(
    member(at, 'items'),
    (item): Repeat => ({
      id: asString(member(item, 'id')),
      count: asCount(member(item, 'count')),
      first: asString(member(item, 'first')),
      last: asString(member(item, 'last')),
    }),
  );
  return { kind: 'repeats', at: asString(member(at, 'at')), items };
}

function parsePruned(at: Cursor): PrunedBody {
  return {
    kind: 'pruned',
    at: asString(member(at, 'at')),
    through: asCount(member(at, 'through')),
    hash: asString(member(at, 'hash')),
    count: asCount(member(at, 'count')),
    from: asString(member(at, 'from')),
    to: asString(member(at, 'to')),
  };
}

/** The tree of findings under a cursor. Throws the cursor's code. */
export function parseFinding(at: Cursor): FindingJson {
  const text = (name: string) => optional(member(at, name), asString);
  const [source, code, remedy] = [text('source'), text('code'), text('remedy')];
  const needs = optional(member(at, 'needs'), asNeeds);
  const because = optional(member(at, 'because'), (list) => asArray(list, parseFinding));
  return {
    check: asString(member(at, 'check')),
    outcome: asOneOf(member(at, 'outcome'), OUTCOMES),
    says: asString(member(at, 'says')),
    ...(source === undefined ? {} : { source }),
    ...(code === undefined ? {} : { code }),
    ...(remedy === undefined ? {} : { remedy }),
    ...(needs === undefined ? {} : { needs }),
    ...(because === undefined ? {} : { because }),
  };
}

function asNeeds(at: Cursor): Needs {
  return typeof at.value === 'number' ? asCount(at) : asOneOf(at, ['all', 'any'] as const);
}

/** The finding of a recorded tree, for rendering. A code that this release does not know is left out. */
export function findingOf(tree: FindingJson): Finding {
  const { check, says, source, code, remedy, because } = tree;
  const at = cursor(tree, 'finding', 'record.entry-malformed');
  const needs = optional(member(at, 'needs'), asNeeds);
  return {
    check,
    outcome: asOneOf(member(at, 'outcome'), OUTCOMES),
    says,
    ...(source === undefined ? {} : { source }),
    ...(code !== undefined && isCode(code) ? { code } : {}),
    ...(remedy === undefined ? {} : { remedy }),
    ...(needs === undefined ? {} : { needs }),
    ...(because === undefined ? {} : { because: because.map(findingOf) }),
  };
}

/** The members of a line of an export, or null when it is none of its kind. */
export function parseLine(text: string, where: string): ReadonlyMap<string, unknown> {
  const at = cursor(readJson(text, where), where, 'record.entry-malformed');
  return new Map(Object.entries(asObject(at)));
}
