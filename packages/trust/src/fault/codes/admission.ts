/** Faults of Kubernetes admission: what the API server sends, and what no object may be let in with. */
export const ADMISSION_CODES = {
  'admission.review-malformed': {
    status: 400,
    exit: 2,
    means: 'A request to the webhook is no AdmissionReview that can be answered.',
    remedy: 'Let nothing but the API server call this address, by a webhook configuration.',
  },
  'admission.version-unsupported': {
    status: 400,
    exit: 2,
    means: 'An AdmissionReview of another version than admission.k8s.io/v1 came.',
    remedy: 'Write `admissionReviewVersions: ["v1"]` in the webhook configuration.',
  },
  'admission.caller-unknown': {
    status: 401,
    exit: 1,
    means: 'The webhook wants a client certificate, and the caller showed none that it trusts.',
    remedy:
      'Give the API server a client certificate for webhooks (its --admission-control-config-file), issued by the authority that `admission.clientCa` names.',
  },
  'admission.overloaded': {
    status: 503,
    exit: 3,
    means: 'More reviews came at once than the server keeps in memory.',
    remedy: 'Try again; run more replicas if it persists.',
  },
  'admission.image-missing': {
    status: 403,
    exit: 1,
    means: 'A Pod has a container or an image volume that names no image.',
    remedy: 'Name an image, by its digest.',
  },
  'admission.too-many-images': {
    status: 403,
    exit: 1,
    means: 'An object names more different images than one answer can be about.',
    remedy: 'Divide the object: no workload has a thousand different images.',
  },
  'admission.tag-unpinned': {
    status: 403,
    exit: 1,
    means: 'An image is named by a tag, and the policy wants digests in what runs.',
    remedy:
      'Name the image as NAME:TAG@DIGEST, or let the mutating webhook do it (`admission.pin: tag-and-digest`).',
  },
  'admission.tag-left': {
    status: 403,
    exit: 1,
    means:
      'The policy leaves tags as they are, and nothing says that the nodes pull through the gateway, so a node may get other content than was verified.',
    remedy:
      'Name the image by its digest; or have the nodes pull through the gateway, and then set `admission.nodesPullThrough: true`.',
  },
  'admission.deadline': {
    status: 403,
    exit: 3,
    means: 'No decision came before the API server would have given up.',
    remedy:
      'Try again: what was begun goes on and is then known. If it persists, see what the named registry does, or raise `timeoutSeconds` of the webhook.',
  },
} as const;
