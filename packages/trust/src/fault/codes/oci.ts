import type { CodeTable } from '../code-table.ts';

/** Faults of references, manifests and registries. */
export const OCI_CODES = {
  'reference.malformed': {
    status: 400,
    exit: 2,
    means: 'An image reference or a digest does not follow the distribution grammar.',
    remedy: 'Write REGISTRY/NAME:TAG or REGISTRY/NAME@sha256:…, in lower case, or oci:PATH.',
  },
  'manifest.malformed': {
    status: 400,
    exit: 1,
    means: 'A manifest or an index is not what the image specification describes.',
    remedy: 'Push the artifact again with a tool that follows the OCI image specification.',
  },
  'registry.digest-mismatch': {
    status: 502,
    exit: 1,
    means: 'Content does not have the digest under which it was asked for.',
    remedy: 'Do not use the content; the registry, a proxy or the transport altered it.',
  },
} as const satisfies CodeTable;
