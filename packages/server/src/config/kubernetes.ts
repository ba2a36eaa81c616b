import { optional, readFields, required } from '@bulla/trust/bytes/yaml/fields';
import { durationMsOf } from '@bulla/trust/bytes/yaml/quantity';
import { listOf, oneOf, type Read, readBoolean, textOf } from '@bulla/trust/bytes/yaml/read';
import type { KubernetesCertificates, KubernetesSection } from './config.ts';

const UNKNOWN = 'config.unknown-member';
const MINUTE_MS = 60_000;
const NOT_READY_AFTER_MS = 5 * MINUTE_MS;
const CHECK_EVERY_MS = 30_000;

/** DNS-1123 subdomain. */
const readObjectName = textOf(
  /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/,
  'the name of an object, as Kubernetes has them',
);
const readNamespace = textOf(
  /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
  'the name of a namespace or a service, as Kubernetes has them',
);
const readHost = textOf(
  /^(?=.{1,253}$)[a-z0-9:]([a-z0-9.:-]*[a-z0-9])?$/,
  'a host name or an address, in small letters',
);
const readContext = textOf(/^\S.{0,252}$/, 'the name of a context');

/** Which cluster the server reads from, and what it does there. */
export function kubernetesOf(readPath: Read<string>): Read<KubernetesSection> {
  return (at) => {
    const fields = readFields(
      at,
      {
        kubeconfig: optional(readPath, null),
        context: optional(readContext, null),
        namespace: optional(readNamespace, null),
        policies: optional(readBoolean, true),
        clusterImagePolicies: optional(readBoolean, false),
        notReadyAfter: optional(
          durationMsOf({ minMs: MINUTE_MS, maxMs: 1440 * MINUTE_MS }),
          NOT_READY_AFTER_MS,
        ),
        certificates: optional(certificatesOf(readPath), null),
      },
      UNKNOWN,
    );
    if (fields === undefined) return undefined;
    const { notReadyAfter, ...rest } = fields;
    return { ...rest, notReadyAfterMs: notReadyAfter };
  };
}

const KEY_TYPE: KubernetesCertificates['keyType'] = 'ecdsa';
const readKeyType: Read<KubernetesCertificates['keyType']> = oneOf(['ecdsa', 'rsa']);

function certificatesOf(readPath: Read<string>): Read<KubernetesCertificates> {
  return (at) => {
    const fields = readFields(
      at,
      {
        folder: required(readPath),
        service: required(readNamespace),
        names: optional(listOf(readHost), []),
        secret: required(readObjectName),
        keyType: optional(readKeyType, KEY_TYPE),
        mutating: optional(listOf(readObjectName), []),
        validating: optional(listOf(readObjectName), []),
        providers: optional(listOf(readObjectName), []),
        checkEvery: optional(durationMsOf({ minMs: 1000, maxMs: 60 * MINUTE_MS }), CHECK_EVERY_MS),
      },
      UNKNOWN,
    );
    if (fields === undefined) return undefined;
    const { checkEvery, ...rest } = fields;
    return { ...rest, checkEveryMs: checkEvery };
  };
}
