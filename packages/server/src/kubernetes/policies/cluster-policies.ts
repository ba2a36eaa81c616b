import { problemLine } from '@bulla/trust/bytes/yaml/problem';
import { asFault, quote, TrustFault } from '@bulla/trust/fault/fault';
import type { ReadyPolicy } from '@bulla/trust/policy/policy-set';
import type { ClusterObject } from '../api.ts';
import type { WatchedCollection } from '../watch.ts';
import { type DocumentGround, readDocument } from './document.ts';
import type { PolicyKind } from './kind.ts';
import type { Standing } from './status.ts';
import { refusingPolicy } from './unusable.ts';

/** A kind and its objects as they are watched. */
export interface WatchedKind {
  readonly kind: PolicyKind;
  readonly collection: Pick<WatchedCollection, 'objects' | 'version'>;
}

/** What the cluster adds to the policies of files. */
export interface ClusterRead {
  readonly policies: readonly ReadyPolicy[];
  /** `TrustPolicy/NAME`, by the policy's name. */
  readonly files: ReadonlyMap<string, string>;
  /** The first document that is not in force as it stands; null when all are. */
  readonly problem: TrustFault | null;
  readonly warnings: readonly string[];
}

/** The cluster's policies, read anew whenever those of files are: both are one set. */
export interface ClusterPolicies {
  /** Changes with the documents. */
  fingerprint(): string;
  /**
   * All documents, each as it stands, else the former one of its name, else one that refuses; `taken`
   * are names of files' policies. Throws `policy.unreadable` until every kind was listed once: a
   * policy less must never admit more (semantics 4).
   */
  read(ground: DocumentGround, taken: ReadonlySet<string>): Promise<ClusterRead>;
  /** How each object stands since the last reading. */
  standings(): readonly Standing[];
}

/** The policies of these kinds, in this order. */
export function clusterPolicies(kinds: readonly WatchedKind[]): ClusterPolicies {
  /** The last good reading of each object, by `KIND/NAME`. */
  let former = new Map<string, ReadyPolicy>();
  let standings: readonly Standing[] = [];
  return {
    fingerprint: () => kinds.map(({ collection }) => collection.version()).join(),
    standings: () => standings,
    async read(ground, taken) {
      const listed = kinds.flatMap(({ kind, collection }) => {
        const objects = collection.objects();
        if (objects !== null) return [...objects.values()].map((object) => ({ kind, object }));
        const message = `the cluster's ${kind.kind} objects were not listed yet`;
        throw new TrustFault('policy.unreadable', message);
      });
      const names = new Set(taken);
      const next = new Map<string, ReadyPolicy>();
      const found: Entry[] = [];
      for (const { kind, object } of listed) {
        const id = `${kind.kind}/${object.name}`;
        const entry = await readEntry(kind, object, { ground, names, before: former.get(id) });
        if (entry.good !== null) next.set(id, entry.good);
        if (entry.policy !== null) names.add(entry.policy.document.name);
        found.push(entry);
      }
      former = next;
      standings = found.map(({ standing }) => standing);
      return summary(found);
    },
  };
}

interface Entry {
  readonly id: string;
  /** What decides; null where an unusable document would have refused nothing. */
  readonly policy: ReadyPolicy | null;
  /** The last good reading, this one or a former one. */
  readonly good: ReadyPolicy | null;
  readonly standing: Standing;
  readonly warnings: readonly string[];
}

interface EntryGround {
  readonly ground: DocumentGround;
  readonly names: ReadonlySet<string>;
  readonly before: ReadyPolicy | undefined;
}

async function readEntry(
  kind: PolicyKind,
  object: ClusterObject,
  { ground, names, before }: EntryGround,
): Promise<Entry> {
  const id = `${kind.kind}/${object.name}`;
  const read = await readObject(kind, object, ground);
  const twice = names.has(object.name)
    ? new TrustFault('policy.name-repeated', `another policy has the name ${quote(object.name)}`)
    : null;
  const fault = twice ?? read.fault;
  if (fault === null && read.ready !== null) {
    const standing = { kind, object, fault: null, decides: 'this' as const };
    return { id, policy: read.ready, good: read.ready, standing, warnings: read.warnings };
  }
  const why = fault ?? new TrustFault('policy.invalid', `${id} cannot be used`);
  const { warnings } = read;
  if (before !== undefined && twice === null) {
    const standing = { kind, object, fault: why, decides: 'former' as const };
    return { id, policy: before, good: before, standing, warnings };
  }
  const name = twice === null ? object.name : freeName(`cluster.${object.name}`, names);
  const policy = refusingPolicy(kind, object.value, name, `${id} cannot be used: ${why.code}`);
  const decides = policy === null ? ('nothing' as const) : ('refusal' as const);
  const standing = { kind, object, fault: why, decides };
  return { id, policy, good: before ?? null, standing, warnings };
}

function freeName(wanted: string, names: ReadonlySet<string>): string {
  let name = wanted;
  for (let count = 2; names.has(name); count++) name = `${wanted}-${count}`;
  return name;
}

interface ObjectRead {
  readonly ready: ReadyPolicy | null;
  readonly fault: TrustFault | null;
  readonly warnings: readonly string[];
}

async function readObject(
  kind: PolicyKind,
  object: ClusterObject,
  ground: DocumentGround,
): Promise<ObjectRead> {
  const where = `${kind.kind}/${object.name}`;
  try {
    const { bytes, warnings } = kind.policyOf(object.value, object.name);
    const { ready, problems } = await readDocument(bytes, where, ground);
    const error = problems.find(({ severity }) => severity === 'error');
    const remarks = problems.filter(({ severity }) => severity === 'warning').map(problemLine);
    return {
      ready,
      fault: error === undefined ? null : new TrustFault(error.code, error.message, error.remedy),
      warnings: [...warnings.map((warning) => `${where}: ${warning}`), ...remarks],
    };
  } catch (error) {
    const fault = asFault(error);
    if (fault.code === 'internal.defect') throw error;
    return { ready: null, fault, warnings: [] };
  }
}

function summary(found: readonly Entry[]): ClusterRead {
  const wrong = found.find(({ standing }) => standing.fault !== null);
  const fault = wrong?.standing.fault ?? null;
  return {
    policies: found.flatMap(({ policy }) => (policy === null ? [] : [policy])),
    files: new Map(
      found.flatMap(({ id, policy }) => (policy === null ? [] : [[policy.document.name, id]])),
    ),
    problem:
      fault === null
        ? null
        : new TrustFault(fault.code, `${wrong?.id}: ${fault.message}`, fault.remedy),
    warnings: found.flatMap(({ warnings }) => warnings),
  };
}
