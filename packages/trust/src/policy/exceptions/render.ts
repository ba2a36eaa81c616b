import { printable } from '../../fault/fault.ts';
import { liftLines } from './clause-digest.ts';
import type { ExceptionDocument, LiftedPolicy, Party } from './document.ts';

/** Who signed, by identity and by key. */
export interface PartyJson {
  readonly identity: string;
  readonly keyId: string;
}

/** The JSON form of an exception; its schema is docs/schemas/exception.schema.json. */
export interface ExceptionJson {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly repository: string;
  readonly digest: string | null;
  readonly lifts: readonly LiftedPolicy[];
  readonly surfaces: readonly string[] | null;
  readonly namespaces: readonly string[] | null;
  readonly requester: PartyJson;
  readonly approver: PartyJson | null;
  readonly reason: string;
  readonly compensatingControl: string | null;
  readonly issuedAt: string;
  readonly approvedAt: string | null;
  readonly expires: string;
}

/** What an exception says, as stable JSON. */
export function exceptionJson({ id, exception, approval }: ExceptionDocument): ExceptionJson {
  const { requester, issuedAt, expires, ...rest } = exception;
  return {
    id,
    ...rest,
    requester: partyJson(requester),
    approver: approval === null ? null : partyJson(approval.approver),
    issuedAt: issuedAt.toISOString(),
    approvedAt: approval?.approvedAt.toISOString() ?? null,
    expires: expires.toISOString(),
  };
}

/**
 * All that an exception says as lines for people: what an approver reads before they sign. Control
 * characters are escaped.
 */
export function exceptionLines(document: ExceptionDocument): readonly string[] {
  const json = exceptionJson(document);
  const rows: readonly (readonly [string, string])[] = [
    [json.kind, `${json.name}  ${json.id}`],
    [
      'image',
      json.digest === null ? `${json.repository} (all of it)` : `${json.repository}@${json.digest}`,
    ],
    ...liftLines(json.lifts).map((line) => ['lifts', line] as const),
    ['surfaces', json.surfaces?.join(', ') ?? 'all'],
    ['namespaces', json.namespaces?.join(', ') ?? 'all'],
    ['requester', partyText(json.requester)],
    ['approver', json.approver === null ? 'nobody' : partyText(json.approver)],
    ['reason', json.reason],
    ['control', json.compensatingControl ?? 'none'],
    ['issued', json.issuedAt],
    ['approved', json.approvedAt ?? 'not'],
    ['expires', json.expires],
  ];
  return rows.map(([name, value]) => `${name.padEnd(11)} ${printable(value)}`);
}

function partyJson({ identity, key }: Party): PartyJson {
  return { identity, keyId: key.id };
}

function partyText({ identity, keyId }: PartyJson): string {
  return `${identity}  key ${keyId}`;
}
