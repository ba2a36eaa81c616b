import { stringify } from 'yaml';
import { encodeBase64 } from '../../../bytes/base64.ts';
import { digestOf } from '../../../bytes/hash.ts';
import { encodeHex } from '../../../bytes/hex.ts';
import { quote, TrustFault } from '../../../fault/fault.ts';
import type { ReadyPolicy } from '../../policy-set.ts';
import { type ExportNote, liesUnder } from '../note.ts';
import { scopeOf } from '../scope.ts';
import type { SignerClause } from '../signers.ts';
import { type ExportPlace, holdsAt, type ScopeRow, scopeTable } from '../table.ts';
import { REFUSING_KEY } from './refusing-key.ts';

/** Files by their path within the folder, and what could not be said. */
export interface ExportedObjects {
  readonly files: ReadonlyMap<string, string>;
  readonly notes: readonly ExportNote[];
}

/**
 * ClusterImagePolicy and ImagePolicy of config.openshift.io/v1 (openshift/api
 * config/v1/types_image_policy.go) that refuse whatever the policies refuse within their scopes. Each
 * object is one signature; the machine config operator joins objects of one scope into one list, all
 * of which must hold. What no scope names is admitted there, which the notes say. Throws
 * `policy.not-expressible` for a policy of every registry and for a host that no scope may name.
 */
export function exportOpenShift(
  policies: readonly ReadyPolicy[],
  place: ExportPlace,
): ExportedObjects {
  const placed = policies.filter(({ document }) => holdsAt(document, place));
  const { cluster, namespaced } = divide(placed);
  const unplaced = { ...place, namespace: null };
  const tables = [
    { namespace: null, table: scopeTable(cluster, unplaced) },
    ...[...namespaced].map(([namespace, own]) => ({
      namespace,
      table: scopeTable(own, { ...place, namespace }),
    })),
  ];
  const notes: ExportNote[] = [OPEN, ...hoistedNotes(cluster)];
  const objects: object[] = [];
  for (const { namespace, table } of tables) {
    notes.push(...table.notes);
    for (const row of table.rows) objects.push(...objectsOf(row, namespace, notes));
  }
  if (objects.length === 0) {
    throw new TrustFault('policy.not-expressible', 'no policy covers anything on this surface');
  }
  const files = new Map([['image-policies.yaml', objects.map(yamlOf).join('---\n')]]);
  const distinct = new Map(notes.map((note) => [JSON.stringify(note), note]));
  return { files, notes: [...distinct.values()] };
}

const OPEN: ExportNote = {
  policy: null,
  scope: null,
  what: 'OpenShift admits images that no scope names, where here they are refused',
  effect: 'wider',
};

interface Divided {
  readonly cluster: readonly ReadyPolicy[];
  readonly namespaced: ReadonlyMap<string, readonly ReadyPolicy[]>;
}

/**
 * An ImagePolicy is not looked at where a ClusterImagePolicy has a scope at or above its own: a
 * policy of some namespaces whose scopes touch one of the cluster's then holds for the whole cluster.
 */
function divide(policies: readonly ReadyPolicy[]): Divided {
  let own = policies.filter(({ document }) => namespacesOf(document.namespaces) !== null);
  for (;;) {
    const cluster = policies.filter((policy) => !own.includes(policy));
    const apart = own.filter((policy) => !cluster.some((other) => touches(policy, other)));
    if (apart.length === own.length) break;
    own = apart;
  }
  const namespaced = new Map<string, ReadyPolicy[]>();
  for (const policy of own) {
    for (const namespace of namespacesOf(policy.document.namespaces) ?? []) {
      namespaced.set(namespace, [...(namespaced.get(namespace) ?? []), policy]);
    }
  }
  return { cluster: policies.filter((policy) => !own.includes(policy)), namespaced };
}

function namespacesOf(namespaces: ReadyPolicy['document']['namespaces']): readonly string[] | null {
  const names = (namespaces ?? []).flatMap((pattern) =>
    'exact' in pattern ? [pattern.exact] : [],
  );
  return namespaces !== null && names.length === namespaces.length ? [...new Set(names)] : null;
}

function touches(a: ReadyPolicy, b: ReadyPolicy): boolean {
  const scopes = ({ document }: ReadyPolicy): readonly string[] =>
    [...document.images, ...document.exclude].map((pattern) => scopeOf(pattern).scope);
  return scopes(a).some((one) =>
    scopes(b).some((other) => liesUnder(one, other) || liesUnder(other, one)),
  );
}

function hoistedNotes(cluster: readonly ReadyPolicy[]): readonly ExportNote[] {
  return cluster
    .filter(({ document }) => document.namespaces !== null)
    .map(({ document }) => ({
      policy: document.name,
      scope: null,
      what: 'namespaces: it holds in all of them',
      effect: 'stricter',
    }));
}

function objectsOf(
  row: ScopeRow,
  namespace: string | null,
  notes: ExportNote[],
): readonly object[] {
  const { scope, repository, clauses } = row;
  requireScope(scope);
  const lists = clauses?.some(
    (clause) => clause.rekor.length > 1 || (clause.kind === 'keys' && clause.pems.length > 1),
  );
  if (lists === true) {
    notes.push({ policy: null, scope, what: 'a list of keys', effect: 'reject' });
  }
  const said = clauses === null || lists === true ? [REFUSE] : clauses;
  const signedIdentity = repository
    ? { matchPolicy: 'ExactRepository', exactRepository: { repository: scope } }
    : { matchPolicy: 'MatchRepository' };
  return said.map((clause, at) => ({
    apiVersion: 'config.openshift.io/v1',
    kind: namespace === null ? 'ClusterImagePolicy' : 'ImagePolicy',
    metadata: {
      name: objectName(scope, at),
      ...(namespace === null ? {} : { namespace }),
    },
    spec: { scopes: [scope], policy: { rootOfTrust: rootOf(clause), signedIdentity } },
  }));
}

const REFUSE: SignerClause = { kind: 'keys', pems: [REFUSING_KEY], rekor: [] };

/** ImageScope: a host with a dot, or localhost. */
const HOST = /^(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)(?::[0-9]+)?(?:\/|$)/;

function requireScope(scope: string): void {
  if (HOST.test(scope) && scope.length <= 512) return;
  const found = scope === '' ? 'every registry' : quote(scope);
  throw new TrustFault(
    'policy.not-expressible',
    `expected a scope with the name of a registry's host, found ${found}`,
    'Name the registries in the images of the policies that are exported to OpenShift.',
  );
}

/** The hash keeps two scopes of like letters apart: one object in place of two would lose one. */
function objectName(scope: string, at: number): string {
  const plain = scope
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 200);
  const hash = encodeHex(digestOf('sha256', Buffer.from(scope))).slice(0, 16);
  return `bulla-${plain}-${hash}-${at + 1}`;
}

function rootOf(clause: SignerClause): object {
  const [rekor] = clause.rekor;
  const rekorKeyData = rekor === undefined ? {} : { rekorKeyData: base64(rekor) };
  if (clause.kind === 'keys') {
    const publicKey = { keyData: base64(clause.pems.join('')), ...rekorKeyData };
    return { policyType: 'PublicKey', publicKey };
  }
  const { roots, issuer: oidcIssuer, email: signedEmail } = clause;
  const fulcioSubject = { oidcIssuer, signedEmail };
  const fulcioCAData = base64(roots.join(''));
  return {
    policyType: 'FulcioCAWithRekor',
    fulcioCAWithRekor: { fulcioCAData, ...rekorKeyData, fulcioSubject },
  };
}

function base64(text: string): string {
  return encodeBase64(Buffer.from(text));
}

function yamlOf(object: object): string {
  return stringify(object, { aliasDuplicateObjects: false, lineWidth: 0 });
}
