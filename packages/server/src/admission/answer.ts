import { REVIEW_KIND, REVIEW_VERSION } from './parse.ts';
import type { PatchOperation } from './pin.ts';

/** Why an object is kept out, as the API server tells its user. */
export interface Denial {
  readonly status: 400 | 403;
  readonly message: string;
}

/** What a webhook answers about one object. */
export interface ReviewAnswer {
  readonly uid: string;
  /** Null: it may come in. */
  readonly denial: Denial | null;
  /** Empty: nothing is changed. The validating call never changes anything. */
  readonly patch: readonly PatchOperation[];
  readonly warnings: readonly string[];
  /** By names that the API server puts the webhook's own before. */
  readonly annotations: Readonly<Record<string, string>>;
}

const REASONS = { 400: 'BadRequest', 403: 'Forbidden' } as const;

/**
 * The answer as an AdmissionReview (enforcement reference 2.1): version, kind and uid as they came, or
 * the API server takes the call to have failed; patch and patchType both or neither.
 */
export function writeAnswer(answer: ReviewAnswer): string {
  const { uid, denial, patch, warnings, annotations } = answer;
  return JSON.stringify({
    apiVersion: REVIEW_VERSION,
    kind: REVIEW_KIND,
    response: {
      uid,
      allowed: denial === null,
      ...(denial === null ? {} : { status: statusOf(denial) }),
      ...(patch.length === 0
        ? {}
        : { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') }),
      ...(warnings.length === 0 ? {} : { warnings }),
      auditAnnotations: annotations,
    },
  });
}

/** A status of Kubernetes (`meta/v1`), as answers that are no reviews have it as a whole. */
export function statusOf({ status, message }: Denial): object {
  return { status: 'Failure', message, reason: REASONS[status], code: status };
}
