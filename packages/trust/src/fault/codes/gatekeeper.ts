/** Faults of the provider of external data for Gatekeeper. */
export const GATEKEEPER_CODES = {
  'gatekeeper.request-invalid': {
    status: 400,
    exit: 1,
    means: 'A request is no ProviderRequest of externaldata.gatekeeper.sh/v1beta1 or v1alpha1.',
    remedy: 'Let Gatekeeper ask; use a release whose external data is v1beta1.',
  },
  'gatekeeper.key-invalid': {
    status: 400,
    exit: 1,
    means: 'A key is neither IMAGE nor [NAMESPACE]IMAGE.',
    remedy: 'Build the keys as the ConstraintTemplates in deploy/gatekeeper do.',
  },
  'gatekeeper.timeout': {
    status: 503,
    exit: 3,
    means: 'An image was not decided about before Gatekeeper had to have its answer.',
    remedy: 'Ask again: the decision goes on and is then at hand; see which registry is slow.',
  },
  'gatekeeper.busy': {
    status: 503,
    exit: 3,
    means: 'Gatekeeper asked about more images at a time than are decided about.',
    remedy: 'Ask again in a moment.',
  },
} as const;
