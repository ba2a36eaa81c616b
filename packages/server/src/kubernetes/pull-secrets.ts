import { decodeBase64 } from '@bulla/trust/bytes/base64';
import {
  asArray,
  asString,
  asStringMap,
  type Cursor,
  cursor,
  member,
  optional,
} from '@bulla/trust/bytes/shape';
import { hasCode, TrustFault } from '@bulla/trust/fault/fault';
import { openRecent } from '../bounds/recent.ts';
import { singleFlight } from '../bounds/single-flight.ts';
import type { RegistryCredential } from '../reach/question.ts';
import type { ClusterObject, KubernetesApi } from './api.ts';
import { type PullEntry, parseDockerConfig, registriesOf } from './docker-config.ts';

/** What a Pod says of its pull secrets, or a controller's template of the Pods to come. */
export interface PullSecretsQuestion {
  readonly namespace: string;
  /** `spec.imagePullSecrets[].name`. */
  readonly imagePullSecrets: readonly string[];
  /** `spec.serviceAccountName`; null is `default`. */
  readonly serviceAccountName: string | null;
  /** Canonical hosts of the images, for entries such as `*.example`; without them those are left out. */
  readonly registries?: readonly string[];
}

/** See `openPullSecrets`. */
export type PullSecretsOf = (
  question: PullSecretsQuestion,
) => Promise<readonly RegistryCredential[]>;

/** Beside the cluster, a clock that never goes back. */
export interface PullSecretsOptions {
  readonly api: Pick<KubernetesApi, 'get'>;
  readonly nowMs: () => number;
}

const KEPT_MS = 10_000;
const MOST_KEPT = 1000;
const MOST_NAMES = 64;
const NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

/**
 * The credentials with which the kubelet would pull a Pod's images: those of the Secrets that it
 * names, in its own namespace, and where it names none those of its service account, as the
 * ServiceAccount admission plugin fills them in (semantics 16). A Secret that is not there, is of
 * another type or cannot be read gives none, which can only refuse. What was read serves ten
 * seconds. Throws `kubernetes.unreachable`, `kubernetes.refused`.
 */
export function openPullSecrets({ api, nowMs }: PullSecretsOptions): PullSecretsOf {
  const secrets = kept<readonly PullEntry[]>(nowMs);
  const accounts = kept<readonly string[]>(nowMs);
  return async (question) => {
    const { namespace, imagePullSecrets, serviceAccountName, registries = [] } = question;
    const base = `/api/v1/namespaces/${checkedName(namespace)}`;
    const account =
      serviceAccountName === null || serviceAccountName === '' ? 'default' : serviceAccountName;
    const names =
      imagePullSecrets.length > 0
        ? imagePullSecrets
        : await accounts(`${base}/serviceaccounts/${checkedName(account)}`, async (path) =>
            namesOf(await api.get(path)),
          );
    // The API server takes any number of names; each is a request.
    const distinct = [...new Set(names)].filter((name) => NAME.test(name)).slice(0, MOST_NAMES);
    const entries = await Promise.all(
      distinct.map((name) =>
        secrets(`${base}/secrets/${name}`, async (path) => entriesOf(await api.get(path))),
      ),
    );
    // The kubelet's order: keys backwards, so that a longer path comes before its beginning.
    return entries
      .flat()
      .toSorted((a, b) => (a.key < b.key ? 1 : a.key > b.key ? -1 : 0))
      .flatMap(({ key, username, password }) =>
        registriesOf(key, registries).map((registry) => ({ registry, username, password })),
      );
  };
}

function checkedName(name: string): string {
  if (NAME.test(name)) return name;
  throw new TrustFault('kubernetes.answer-invalid', 'expected the name of a Kubernetes object');
}

/** Reads by path, once for all who ask meanwhile, and again after ten seconds; no failure is kept. */
function kept<T>(nowMs: () => number) {
  const found = openRecent<{ readonly value: T; readonly atMs: number }>(MOST_KEPT);
  const flight = singleFlight<T>();
  return async (path: string, read: (path: string) => Promise<T>): Promise<T> => {
    const known = found.get(path);
    if (known !== undefined && nowMs() - known.atMs < KEPT_MS) return known.value;
    return flight(path, async () => {
      const value = await read(path);
      found.set(path, { value, atMs: nowMs() });
      return value;
    });
  };
}

function namesOf(account: ClusterObject | null): readonly string[] {
  if (account === null) return [];
  const secrets = member(answered(account), 'imagePullSecrets');
  return (
    optional(secrets, (at) =>
      asArray(at, (each) => optional(member(each, 'name'), asString) ?? ''),
    ) ?? []
  );
}

const FORMS = [
  { type: 'kubernetes.io/dockerconfigjson', entry: '.dockerconfigjson', form: 'dockerconfigjson' },
  { type: 'kubernetes.io/dockercfg', entry: '.dockercfg', form: 'dockercfg' },
] as const;

function entriesOf(secret: ClusterObject | null): readonly PullEntry[] {
  if (secret === null) return [];
  const at = answered(secret);
  const type = optional(member(at, 'type'), asString);
  const known = FORMS.find((form) => form.type === type);
  if (known === undefined) return [];
  try {
    const data = optional(member(at, 'data'), asStringMap) ?? {};
    const text = data[known.entry];
    return text === undefined
      ? []
      : parseDockerConfig(decodeBase64(text, 'the secret'), known.form);
  } catch (error) {
    if (hasCode(error, 'internal.defect')) throw error;
    return [];
  }
}

function answered({ value }: ClusterObject): Cursor {
  return cursor(value, '', 'kubernetes.answer-invalid');
}
