import { encodeBase64 } from '@bulla/trust/bytes/base64';
import { asArray, asString, type Cursor, cursor, member, optional } from '@bulla/trust/bytes/shape';
import type { ClusterObject, KubernetesApi } from '../kubernetes/api.ts';

/** The objects of the cluster that tell the API server or Gatekeeper whom to trust. */
export interface CarrierNames {
  readonly mutating: readonly string[];
  readonly validating: readonly string[];
  readonly providers: readonly string[];
}

/** Whose calls are ours: by the Service, or by a URL of one of the names. */
export interface Callee {
  readonly namespace: string;
  readonly service: string;
  readonly names: readonly string[];
}

/** One object, as it was read. */
export interface Carrier {
  readonly path: string;
  readonly object: ClusterObject;
  /** JSON pointers to each `caBundle` of ours, and what it is now. */
  readonly bundles: readonly { readonly pointer: string; readonly bundle: string }[];
}

const REGISTRATION = '/apis/admissionregistration.k8s.io/v1';
const PROVIDERS = '/apis/externaldata.gatekeeper.sh/v1beta1/providers';
const CODE = 'kubernetes.answer-invalid';

/**
 * The named objects in their newest state. One that is not there carries nothing to anybody and is
 * left out. Throws as the API does.
 */
export async function readCarriers(
  api: Pick<KubernetesApi, 'get'>,
  named: CarrierNames,
  callee: Callee,
): Promise<readonly Carrier[]> {
  const wanted = [
    ...named.mutating.map((name) => ({
      path: `${REGISTRATION}/mutatingwebhookconfigurations/${name}`,
      bundlesOf: webhookBundles,
    })),
    ...named.validating.map((name) => ({
      path: `${REGISTRATION}/validatingwebhookconfigurations/${name}`,
      bundlesOf: webhookBundles,
    })),
    ...named.providers.map((name) => ({
      path: `${PROVIDERS}/${name}`,
      bundlesOf: providerBundles,
    })),
  ];
  const read = await Promise.all(
    wanted.map(async ({ path, bundlesOf }) => {
      const object = await api.get(path);
      if (object === null) return null;
      return { path, object, bundles: bundlesOf(cursor(object.value, '', CODE), callee) };
    }),
  );
  return read.filter((carrier) => carrier !== null);
}

/** Whether every `caBundle` of ours in the object is this one. */
export function carries({ bundles }: Carrier, bundle: string): boolean {
  const text = encodeBase64(Buffer.from(bundle));
  return bundles.every((each) => each.bundle === text);
}

/**
 * Puts the bundle into the object, which must be as it was read: whoever changed it since knew a newer
 * bundle, and an older one must not come back. Throws `kubernetes.conflict` then.
 */
export async function carry(
  api: Pick<KubernetesApi, 'patch'>,
  { path, object, bundles }: Carrier,
  bundle: string,
): Promise<void> {
  const value = encodeBase64(Buffer.from(bundle));
  await api.patch(path, 'json', [
    { op: 'test', path: '/metadata/resourceVersion', value: object.resourceVersion },
    ...bundles.map(({ pointer }) => ({ op: 'add', path: pointer, value })),
  ]);
}

function webhookBundles(at: Cursor, callee: Callee): Carrier['bundles'] {
  const webhooks = optional(member(at, 'webhooks'), (list) => asArray(list, (each) => each)) ?? [];
  return webhooks.flatMap((webhook, index) => {
    const config = member(webhook, 'clientConfig');
    if (!isOurs(config, callee)) return [];
    const bundle = optional(member(config, 'caBundle'), asString) ?? '';
    return [{ pointer: `/webhooks/${index}/clientConfig/caBundle`, bundle }];
  });
}

function providerBundles(at: Cursor, callee: Callee): Carrier['bundles'] {
  const spec = member(at, 'spec');
  if (!isOurs(spec, callee)) return [];
  return [
    { pointer: '/spec/caBundle', bundle: optional(member(spec, 'caBundle'), asString) ?? '' },
  ];
}

/** A webhook of somebody else in the same object keeps its own authority. */
function isOurs(at: Cursor, { namespace, service, names }: Callee): boolean {
  const named = optional(member(at, 'service'), (each) => each);
  if (named !== undefined) {
    const sameName = asString(member(named, 'name')) === service;
    return sameName && asString(member(named, 'namespace')) === namespace;
  }
  const url = optional(member(at, 'url'), asString) ?? '';
  return URL.canParse(url) && names.includes(new URL(url).hostname);
}
