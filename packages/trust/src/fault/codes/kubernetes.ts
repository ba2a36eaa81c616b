/** Faults of what the server reads from a Kubernetes cluster, and writes there. */
export const KUBERNETES_CODES = {
  'kubernetes.config-invalid': {
    status: 500,
    exit: 2,
    means: 'The way to the Kubernetes API cannot be read, or would not be safe.',
    remedy:
      'Give a kubeconfig whose context names an https:// server with its authority, or run in a Pod with a service account.',
  },
  'kubernetes.unreachable': {
    status: 502,
    exit: 3,
    means: 'The Kubernetes API cannot be reached, or did not answer in time.',
    remedy: 'Check the network between the server and the API server, and the authority it has.',
  },
  'kubernetes.refused': {
    status: 502,
    exit: 3,
    means: 'The Kubernetes API does not let the server do what it has to do.',
    remedy: 'Give the service account the role of `deploy/kubernetes/rbac.yaml`.',
  },
  'kubernetes.not-found': {
    status: 502,
    exit: 3,
    means: 'The Kubernetes API has no such object, or no such kind of objects.',
    remedy: 'Apply the manifests of `deploy/kubernetes/`: the definitions of the kinds come first.',
  },
  'kubernetes.conflict': {
    status: 409,
    exit: 3,
    means: 'An object of the cluster was changed by somebody else in between.',
    remedy: 'Try again.',
  },
  'kubernetes.answer-invalid': {
    status: 502,
    exit: 3,
    means: 'The Kubernetes API answered with what cannot be read, or with more than is taken.',
    remedy: 'Check that the address is that of a Kubernetes API server, and its version.',
  },
  'kubernetes.file-reference': {
    status: 400,
    exit: 2,
    means: 'A policy of the cluster names a file, and there is none beside it.',
    remedy: 'Put the key into the policy as `pem`, or a trust root into the configuration.',
  },
  'kubernetes.certificates-invalid': {
    status: 500,
    exit: 2,
    means: 'The Secret with the certificates of the webhook holds something else.',
    remedy: 'Delete the Secret; the server makes a new authority and tells the API server of it.',
  },
} as const;
