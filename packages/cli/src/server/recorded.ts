import {
  asArray,
  asInstant,
  asOneOf,
  asString,
  type Cursor,
  member,
  optional,
} from '@bulla/trust/bytes/shape';
import { DOSSIER_LIMIT, type Dossier, readDossier } from '@bulla/trust/decide/dossier';
import { TrustFault } from '@bulla/trust/fault/fault';
import { type Rollback, recordedRollback } from '@bulla/trust/policy/evaluate/rollback';
import type { PolicyScope } from '@bulla/trust/policy/policy-set';
import type { Api } from './api.ts';
import { answer } from './parse.ts';

/** A finding of a recorded tree, as far as it is looked at. */
interface RecordedFinding {
  readonly check: string;
  readonly says: string;
  readonly because: readonly RecordedFinding[];
}

/** A decision of the record, as far as it is asked again. */
export interface RecordedDecision {
  readonly id: string;
  readonly reference: string;
  readonly scope: PolicyScope;
  readonly tag: string | null;
  readonly digest: string | null;
  readonly outcome: 'admit' | 'deny';
  readonly effect: 'pass' | 'warn' | 'audit' | 'deny';
  readonly code: string | null;
  /** Names of the policies that refused. */
  readonly refusedBy: readonly string[];
  readonly decidedAt: Date;
  readonly rollback: Rollback | null;
  /** Whether an exception let it in. */
  readonly excepted: boolean;
  /** The decision whose answer this is a use of; null for one that was taken anew. */
  readonly usedFrom: string | null;
}

const EFFECTS = ['pass', 'warn', 'audit', 'deny'] as const;
const SURFACES = ['pull', 'admission', 'gate', 'node', 'watch'] as const;
const DEEPEST = 64;

/** A decision of the record. Throws `record.decision-unknown`, `server.*`. */
export async function recordedDecision(api: Api, id: string): Promise<RecordedDecision> {
  return parse(answer(await api.json({ method: 'GET', path: ['decisions', id] })));
}

/** What a decision looked at. Throws `record.evidence-missing`, `dossier.malformed`, `server.*`. */
export async function recordedDossier(api: Api, id: string): Promise<Dossier> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of api.chunks({ method: 'GET', path: ['decisions', id, 'dossier'] })) {
    size += part.length;
    if (size > DOSSIER_LIMIT) {
      throw new TrustFault('dossier.malformed', `expected at most ${DOSSIER_LIMIT} bytes`);
    }
    parts.push(part);
  }
  return readDossier(Buffer.concat(parts));
}

function parse(at: Cursor): RecordedDecision {
  const text = (name: string) => asString(member(at, name));
  const nullable = (name: string) => optional(member(at, name), asString) ?? null;
  const finding = asFinding(member(at, 'finding'), 0);
  const policies = asArray(member(at, 'policies'), (policy) => ({
    name: asString(member(policy, 'name')),
    effect: asString(member(policy, 'effect')),
  }));
  return {
    id: text('id'),
    reference: text('reference'),
    scope: {
      repository: text('repository'),
      surface: asOneOf(member(at, 'surface'), SURFACES),
      namespace: nullable('namespace'),
      environment: nullable('environment'),
    },
    tag: nullable('tag'),
    digest: nullable('digest'),
    outcome: asOneOf(member(at, 'outcome'), ['admit', 'deny']),
    effect: asOneOf(member(at, 'effect'), EFFECTS),
    code: nullable('code'),
    refusedBy: policies.filter(({ effect }) => effect === 'deny').map(({ name }) => name),
    decidedAt: asInstant(member(at, 'decidedAt')),
    rollback: recordedRollback(finding),
    // Servers of before there were exceptions name none.
    excepted:
      (optional(member(at, 'exceptions'), (used) => asArray(used, (one) => one)) ?? []).length > 0,
    usedFrom: usedFrom(finding),
  };
}

function asFinding(at: Cursor, depth: number): RecordedFinding {
  const because = optional(member(at, 'because'), (list) =>
    depth >= DEEPEST ? [] : asArray(list, (child) => asFinding(child, depth + 1)),
  );
  return {
    check: asString(member(at, 'check')),
    says: asString(member(at, 'says')),
    because: because ?? [],
  };
}

/** A use of a cached decision says from which one it is. */
function usedFrom({ because }: RecordedFinding): string | null {
  const cached = because.find(({ check }) => check === 'decision.cached');
  return /^as decided in ([0-7][0-9A-HJKMNP-TV-Z]{25}) /.exec(cached?.says ?? '')?.[1] ?? null;
}
