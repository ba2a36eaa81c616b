import {
  asArray,
  asObject,
  asString,
  cursor,
  type JsonObject,
  member,
  optional,
} from '@bulla/trust/bytes/shape';
import type { Code } from '@bulla/trust/fault/codes';
import { asFault, type TrustFault } from '@bulla/trust/fault/fault';
import type { ClusterObject, KubernetesApi } from '../api.ts';
import type { PolicyKind } from './kind.ts';

/** How an object of the cluster stands. */
export interface Standing {
  readonly kind: PolicyKind;
  readonly object: ClusterObject;
  /** Why it is not in force as it stands; null when it is. */
  readonly fault: TrustFault | null;
  /** Which policy decides in its place: the former of its name, one that refuses, or none. */
  readonly decides: 'this' | 'former' | 'refusal' | 'nothing';
}

/** A condition as `meta/v1` has it, without the time of its last change. */
export interface Condition {
  readonly type: 'Ready';
  readonly status: 'True' | 'False';
  readonly observedGeneration: number;
  readonly reason: string;
  readonly message: string;
}

const LONGEST_MESSAGE = 2000;

/** What `kubectl get trustpolicies` shows of an object. */
export function conditionOf({ object, fault, decides }: Standing): Condition {
  const observedGeneration = object.generation ?? 0;
  if (fault === null) {
    const message = 'the policy decides as it stands';
    return { type: 'Ready', status: 'True', observedGeneration, reason: 'InForce', message };
  }
  const text = `${fault.code}: ${fault.message}. ${DECIDES[decides]} ${fault.remedy}`;
  return {
    type: 'Ready',
    status: 'False',
    observedGeneration,
    reason: reasonOf(fault.code),
    message: text.length > LONGEST_MESSAGE ? `${text.slice(0, LONGEST_MESSAGE)}…` : text,
  };
}

const DECIDES = {
  this: 'It decides as it stands.',
  former: 'The policy as it was before decides.',
  refusal: 'Every image of its scope is refused.',
  nothing: 'It decides nothing: its mode refuses nothing.',
} as const satisfies Readonly<Record<Standing['decides'], string>>;

/** `policy.unknown-field` as `PolicyUnknownField`: reasons are CamelCase (API conventions, "Conditions"). */
export function reasonOf(code: Code): string {
  return code.replace(/(?:^|[.-])([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** Writes the conditions that are not yet there. */
export interface StatusWriter {
  write(standings: readonly Standing[]): Promise<void>;
}

/** What the writer needs; `failed` is told of what could not be written, which is tried again. */
export interface StatusWriterOptions {
  readonly api: Pick<KubernetesApi, 'patch'>;
  readonly clock: () => Date;
  readonly failed: (fault: TrustFault) => void;
}

/**
 * Each condition is written once for a state of its object: replicas of two versions that word it
 * differently must not answer one another for ever.
 */
export function statusWriter({ api, clock, failed }: StatusWriterOptions): StatusWriter {
  let written = new Map<string, string>();
  return {
    async write(standings) {
      const next = new Map<string, string>();
      for (const standing of standings.filter(({ kind }) => kind.hasStatus)) {
        const { kind, object } = standing;
        const condition = conditionOf(standing);
        const said = JSON.stringify(condition);
        const id = `${kind.kind}/${object.uid}`;
        if (written.get(id) === said || isThere(object, condition)) {
          next.set(id, said);
          continue;
        }
        try {
          const status = { conditions: withCondition(object, condition, clock()) };
          await api.patch(`${kind.path}/${object.name}/status`, 'merge', { status });
          next.set(id, said);
        } catch (error) {
          failed(asFault(error));
        }
      }
      written = next;
    },
  };
}

function conditionsOf({ value }: ClusterObject): readonly JsonObject[] {
  try {
    const status = member(cursor(value, '', 'policy.malformed'), 'status');
    const list = optional(status, (at) => member(at, 'conditions'));
    return list === undefined ? [] : (optional(list, (at) => asArray(at, asObject)) ?? []);
  } catch {
    return [];
  }
}

function isThere(object: ClusterObject, condition: Condition): boolean {
  const found = conditionsOf(object).find(({ type }) => type === condition.type);
  return (
    found !== undefined && Object.entries(condition).every(([key, value]) => found[key] === value)
  );
}

/** Conditions of others stay; the time is that of the last change of `status` (meta/v1). */
function withCondition(
  object: ClusterObject,
  condition: Condition,
  at: Date,
): readonly (JsonObject | (Condition & { readonly lastTransitionTime: string }))[] {
  const all = conditionsOf(object);
  const before = all.find(({ type }) => type === condition.type);
  const since =
    before?.['status'] === condition.status
      ? optional(cursor(before['lastTransitionTime'], '', 'policy.malformed'), asString)
      : undefined;
  const lastTransitionTime = since ?? `${at.toISOString().slice(0, 19)}Z`;
  return [
    ...all.filter(({ type }) => type !== condition.type),
    { ...condition, lastTransitionTime },
  ];
}
