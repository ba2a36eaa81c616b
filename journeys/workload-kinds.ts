// Kubernetes' own kinds that have Pods, each around the specification of one.
// biome-ignore lint/suspicious/noExplicitAny: objects have any shape
type Json = any;

/** One kind (enforcement reference UN-1). */
export interface WorkloadKind {
  readonly kind: string;
  /** Of its objects in a namespace. */
  readonly path: (namespace: string) => string;
  /** An object of it around this specification, complete enough for an API server. */
  readonly of: (name: string, spec: Json) => Json;
  /** The specification in such an object. */
  readonly specOf: (object: Json) => Json;
}

const labels = { app: 'web' };

function workload(
  group: '' | 'apps' | 'batch',
  kind: string,
  around: (spec: Json) => Json,
  specOf: (object: Json) => Json,
): WorkloadKind {
  const apiVersion = group === '' ? 'v1' : `${group}/v1`;
  const root = group === '' ? '/api/v1' : `/apis/${apiVersion}`;
  return {
    kind,
    path: (namespace) => `${root}/namespaces/${namespace}/${kind.toLowerCase()}s`,
    of: (name, spec) => ({ apiVersion, kind, metadata: { name }, ...around(spec) }),
    specOf,
  };
}

const template = (spec: Json) => ({ metadata: { labels }, spec });
const templated = (object: Json) => object.spec.template.spec;
const once = (spec: Json) => ({ template: template({ restartPolicy: 'Never', ...spec }) });
const app = (kind: string, more: object = {}) =>
  workload(
    'apps',
    kind,
    (spec) => ({
      spec: { selector: { matchLabels: labels }, template: template(spec), ...more },
    }),
    templated,
  );

/** All of them. */
export const WORKLOAD_KINDS: readonly WorkloadKind[] = [
  workload(
    '',
    'Pod',
    (spec) => ({ spec }),
    (object) => object.spec,
  ),
  workload(
    '',
    'PodTemplate',
    (spec) => ({ template: template(spec) }),
    (object) => object.template.spec,
  ),
  workload(
    '',
    'ReplicationController',
    (spec) => ({ spec: { selector: labels, template: template(spec) } }),
    templated,
  ),
  app('ReplicaSet'),
  app('Deployment'),
  app('DaemonSet'),
  app('StatefulSet', { serviceName: 'web' }),
  workload('batch', 'Job', (spec) => ({ spec: once(spec) }), templated),
  workload(
    'batch',
    'CronJob',
    (spec) => ({ spec: { schedule: '@daily', jobTemplate: { spec: once(spec) } } }),
    (object) => object.spec.jobTemplate.spec.template.spec,
  ),
];

/** The kind of this name. */
export function workloadKind(name: string): WorkloadKind {
  const found = WORKLOAD_KINDS.find(({ kind }) => kind === name);
  if (found === undefined) throw new Error(`no kind ${name}`);
  return found;
}
