import { asStringMap, cursor, type JsonObject, member, optional } from '@bulla/trust/bytes/shape';
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
}

/** See `PolicyKind.policyOf`. */
export interface PolicyTextOf {
  readonly bytes: Uint8Array;
  readonly warnings: readonly string[];
}

/** The kind of `deploy/kubernetes/crd-trustpolicies.yaml`: the document as it is, without what the API server adds. */
export const TRUST_POLICIES: PolicyKind = {
  kind: POLICY_KIND,
  path: `/apis/${POLICY_API_VERSION}/trustpolicies`,
  hasStatus: true,
  policyOf(value, name) {
    const metadata = member(cursor(value, '', 'policy.malformed'), 'metadata');
    const labels = optional(member(metadata, 'labels'), asStringMap);
    const document = {
      apiVersion: POLICY_API_VERSION,
      kind: POLICY_KIND,
      metadata: { name, ...(labels === undefined ? {} : { labels }) },
      spec: value['spec'],
    };
    return { bytes: Buffer.from(JSON.stringify(document)), warnings: [] };
  },
};
