import { randomUUID } from 'node:crypto';

/** A Kubernetes object, as JSON. */
export type KubeObject = Readonly<Record<string, unknown>>;

/** What a test says of a review; the rest is usual. */
export interface ReviewShape {
  readonly operation?: string;
  readonly object?: KubeObject | null;
  readonly oldObject?: KubeObject | null;
  readonly subResource?: string;
  readonly namespace?: string | null;
  readonly username?: string;
  readonly dryRun?: boolean;
  /** The kind as it was matched, where the object's own does not say it. */
  readonly kind?: { readonly group: string; readonly version: string; readonly kind: string };
  readonly more?: KubeObject;
}

/** An AdmissionReview as an API server sends it. */
export function reviewOf(shape: ReviewShape): KubeObject {
  const {
    operation = 'CREATE',
    object = null,
    oldObject = null,
    subResource,
    dryRun = false,
  } = shape;
  const { namespace = 'shop', username = 'alice' } = shape;
  const kind = shape.kind ?? kindOf(object ?? oldObject ?? {});
  const resource = {
    group: kind.group,
    version: kind.version,
    resource: `${kind.kind.toLowerCase()}s`,
  };
  return {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid: randomUUID(),
      kind,
      resource,
      ...(subResource === undefined ? {} : { subResource, requestSubResource: subResource }),
      requestKind: kind,
      requestResource: resource,
      name: 'web',
      ...(namespace === null ? {} : { namespace }),
      operation,
      userInfo: { username, uid: 'u1', groups: ['system:authenticated'] },
      object,
      oldObject,
      dryRun,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
      ...shape.more,
    },
  };
}

function kindOf(object: KubeObject) {
  const [version = 'v1', group = ''] = String(object['apiVersion'] ?? 'v1')
    .split('/')
    .reverse();
  return { group, version, kind: String(object['kind'] ?? 'Pod') };
}

/** Where each kind keeps its Pod's specification. */
export const KINDS: readonly {
  readonly apiVersion: string;
  readonly kind: string;
  readonly path: readonly string[];
}[] = [
  { apiVersion: 'v1', kind: 'Pod', path: ['spec'] },
  { apiVersion: 'v1', kind: 'PodTemplate', path: ['template', 'spec'] },
  { apiVersion: 'v1', kind: 'ReplicationController', path: ['spec', 'template', 'spec'] },
  { apiVersion: 'apps/v1', kind: 'ReplicaSet', path: ['spec', 'template', 'spec'] },
  { apiVersion: 'apps/v1', kind: 'Deployment', path: ['spec', 'template', 'spec'] },
  { apiVersion: 'apps/v1', kind: 'StatefulSet', path: ['spec', 'template', 'spec'] },
  { apiVersion: 'apps/v1', kind: 'DaemonSet', path: ['spec', 'template', 'spec'] },
  { apiVersion: 'batch/v1', kind: 'Job', path: ['spec', 'template', 'spec'] },
  {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    path: ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
  },
];

/** The places of a Pod in which an image can stand, with one image each. */
export const PLACES: readonly {
  readonly name: string;
  readonly place: (image: string) => KubeObject;
  readonly pointer: string;
}[] = [
  {
    name: 'a container',
    place: (image) => ({ containers: [{ name: 'web', image }] }),
    pointer: '/containers/0/image',
  },
  {
    name: 'an init container',
    place: (image) => ({ initContainers: [{ name: 'web', image }] }),
    pointer: '/initContainers/0/image',
  },
  {
    name: 'a sidecar',
    place: (image) => ({ initContainers: [{ name: 'web', image, restartPolicy: 'Always' }] }),
    pointer: '/initContainers/0/image',
  },
  {
    name: 'an ephemeral container',
    place: (image) => ({ ephemeralContainers: [{ name: 'web', image }] }),
    pointer: '/ephemeralContainers/0/image',
  },
  {
    name: 'an image volume',
    place: (image) => ({ volumes: [{ name: 'web', image: { reference: image } }] }),
    pointer: '/volumes/0/image/reference',
  },
];

/** An object of a kind around the specification of its Pod. */
export function objectOf(
  kindName: string,
  spec: KubeObject,
  metadata: KubeObject = {},
): KubeObject {
  const found = KINDS.find(({ kind }) => kind === kindName);
  if (found === undefined) throw new Error(`no kind ${kindName}`);
  const { apiVersion, kind, path } = found;
  const inner = path.reduceRight<unknown>((value, member) => ({ [member]: value }), spec);
  return { apiVersion, kind, metadata: { name: 'web', ...metadata }, ...(inner as KubeObject) };
}

/** A Pod of containers with these images. */
export function pod(images: readonly string[], metadata: KubeObject = {}): KubeObject {
  const containers = images.map((image, index) => ({ name: `c${index}`, image }));
  return objectOf('Pod', { containers }, metadata);
}

/** A Deployment of containers with these images. */
export function deployment(images: readonly string[], more: KubeObject = {}): KubeObject {
  const containers = images.map((image, index) => ({ name: `c${index}`, image }));
  const object = objectOf('Deployment', { containers });
  return { ...object, spec: { ...(object['spec'] as KubeObject), ...more } };
}
