import type { JsonObject } from '@bulla/trust/bytes/shape';
import { POLICY_API_VERSION, POLICY_KIND } from '@bulla/trust/policy/parse';

/** A kind of objects whose documents are policies. */
export interface PolicyKind {
  /** As people write it: `TrustPolicy`. */
  readonly kind: string;
  /** The collection's path. */
  readonly path: string;
  /** Whether `status` of its objects is this server's to write. */
  readonly hasStatus: boolean;
  /**
   * The text of the `TrustPolicy` that an object means, and remarks on what it could not express.
   * Throws a fault for an object that means none.
   */
  policyOf(value: JsonObject, name: string): PolicyTextOf;
  /**
   * The members of a `TrustPolicy`'s `spec` by which an unusable object is refused in its scope, as far
   * as they mean there what they mean here; none of them: it is refused everywhere.
   */
  scopeOf(value: JsonObject): JsonObject;
}

/** See `PolicyKind.policyOf`. */
export interface PolicyTextOf {
  readonly bytes: Uint8Array;
  readonly warnings: readonly string[];
}

const SCOPE = ['images', 'exclude', 'surfaces', 'namespaces', 'environments'] as const;

/** The kind of `deploy/kubernetes/00-crd-trustpolicies.yaml`. */
export const TRUST_POLICIES: PolicyKind = {
  kind: POLICY_KIND,
  path: `/apis/${POLICY_API_VERSION}/trustpolicies`,
  hasStatus: true,
  policyOf: (value, name) => documentOf(value, name, POLICY_API_VERSION, POLICY_KIND),
  scopeOf(value) {
    const spec = specOf(value);
    const found = SCOPE.filter((key) => Object.hasOwn(spec, key));
    return Object.fromEntries(found.map((key) => [key, spec[key]]));
  },
};

const CIP_API_VERSION = 'policy.sigstore.dev/v1beta1';

/**
 * Objects of sigstore's policy-controller, read as files of them are. Their patterns are of another
 * kind, so that one that cannot be read has no scope here.
 */
export const CLUSTER_IMAGE_POLICIES: PolicyKind = {
  kind: 'ClusterImagePolicy',
  path: `/apis/${CIP_API_VERSION}/clusterimagepolicies`,
  hasStatus: false,
  policyOf: (value, name) => documentOf(value, name, CIP_API_VERSION, 'ClusterImagePolicy'),
  scopeOf: () => ({}),
};

/** The document as it is, without what the API server adds. */
function documentOf(value: JsonObject, name: string, apiVersion: string, kind: string) {
  const document = { apiVersion, kind, metadata: { name }, spec: value['spec'] };
  return { bytes: Buffer.from(JSON.stringify(document)), warnings: [] };
}

function specOf(value: JsonObject): JsonObject {
  const { spec } = value;
  return typeof spec === 'object' && spec !== null && !Array.isArray(spec)
    ? Object.fromEntries(Object.entries(spec))
    : {};
}
