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
  'manifest.unsupported': {
    status: 400,
    exit: 1,
    means: 'A manifest is of Docker schema 1 or of a type that Bulla does not read.',
    remedy: 'Push the image again as OCI 1 or Docker schema 2, as every current tool does.',
  },
  'manifest.ambiguous': {
    status: 400,
    exit: 1,
    means:
      'A document can be read in two ways: as an image and as an index (CVE-2021-41190), or with a member in another case.',
    remedy: 'Do not use the artifact; no honest tool writes such a document.',
  },
  'content.missing': {
    status: 404,
    exit: 1,
    means: 'A manifest names content that the registry or the layout does not hold.',
    remedy:
      'Push the artifact again, whole; an earlier push was interrupted or its content was deleted.',
  },
  'layout.malformed': {
    status: 400,
    exit: 1,
    means: 'A folder or an archive is not an OCI image layout.',
    remedy: 'Give the path of an OCI image layout, or of an uncompressed tar archive of one.',
  },
  'layout.ambiguous': {
    status: 400,
    exit: 1,
    means: 'A name in an OCI layout leads to several artifacts.',
    remedy: 'Name the artifact by its digest, oci:PATH@sha256:….',
  },
  'layout.locked': {
    status: 503,
    exit: 3,
    means: 'Another process holds the lock of an OCI layout for too long.',
    remedy: 'Wait for the other process; if none runs, remove the file index.json.lock.',
  },
  'layout.read-only': {
    status: 400,
    exit: 2,
    means: 'An archive of an OCI layout can be read but not written.',
    remedy: 'Unpack the archive and give the path of the folder.',
  },
  'registry.unreachable': {
    status: 502,
    exit: 3,
    means: 'No connection to the registry could be made or kept.',
    remedy: 'Check the name of the registry and the network, then try again.',
  },
  'registry.tls': {
    status: 502,
    exit: 3,
    means: 'The registry’s TLS certificate is not trusted, or TLS failed otherwise.',
    remedy: 'Give the certificate authority of the registry as a CA file.',
  },
  'registry.timeout': {
    status: 504,
    exit: 3,
    means: 'The registry did not answer, or stopped answering, before the deadline.',
    remedy: 'Try again, or give a longer timeout.',
  },
  'registry.cancelled': {
    status: 499,
    exit: 3,
    means: 'The caller gave up before the registry answered.',
    remedy: 'Run the command again.',
  },
  'registry.server-error': {
    status: 502,
    exit: 3,
    means: 'The registry answered with an error of its own.',
    remedy: 'Try again later, or ask those who run the registry.',
  },
  'registry.rate-limited': {
    status: 429,
    exit: 3,
    means: 'The registry refuses more requests for now.',
    remedy: 'Log in, which raises the limit at most registries, or wait.',
  },
  'registry.unauthorized': {
    status: 401,
    exit: 3,
    means: 'The registry wants credentials, or does not accept the ones it was given.',
    remedy: 'Log in with `bulla login REGISTRY`.',
  },
  'registry.denied': {
    status: 403,
    exit: 3,
    means: 'The registry does not allow this to the account that was used.',
    remedy: 'Ask for the right to this repository, or log in with another account.',
  },
  'registry.malformed-answer': {
    status: 502,
    exit: 3,
    means:
      'The registry answered with something that the distribution specification does not allow.',
    remedy: 'Check that the name leads to a registry and not to a web page or a sign-in portal.',
  },
  'registry.redirect': {
    status: 502,
    exit: 3,
    means: 'The registry redirects too often, without a target, or from HTTPS to HTTP.',
    remedy: 'Check the name of the registry and the proxy before it.',
  },
  'registry.address': {
    status: 502,
    exit: 3,
    means:
      'A redirect, an upload or a token service of the registry leads to this machine or a private network, to a host that nobody named.',
    remedy: 'If that host belongs to the registry, name it with --registry-host HOST.',
  },
  'registry.limit': {
    status: 413,
    exit: 1,
    means: 'Content or a list is larger than the limit for its kind.',
    remedy: 'Do not use the artifact; no honest artifact of this kind is that large.',
  },
  'registry.refused': {
    status: 502,
    exit: 1,
    means: 'The registry refused what it was asked to store or to do.',
    remedy: 'Read the registry’s reason in the message.',
  },
  'registry.unsupported': {
    status: 501,
    exit: 1,
    means: 'The registry does not offer this operation.',
    remedy: 'Enable it in the registry’s configuration, or use the registry’s own tools.',
  },
  'registry.tag-moved': {
    status: 409,
    exit: 3,
    means: 'A tag was moved by another writer while it was being written, and was left as it is.',
    remedy: 'Run the command again.',
  },
  'registry.referrer-lost': {
    status: 502,
    exit: 1,
    means: 'A referrer was stored, but the registry does not list it for its subject.',
    remedy: 'Run `bulla doctor registry REGISTRY`, and sign again when no other signer is at work.',
  },
  'credentials.malformed': {
    status: 400,
    exit: 2,
    means: 'A file of registry credentials cannot be read.',
    remedy: 'Correct the file that the message names, or log in again.',
  },
  'credentials.helper-failed': {
    status: 502,
    exit: 2,
    means: 'A credential helper (docker-credential-…) is missing, failed, or took too long.',
    remedy: 'Install or unlock the helper, or remove it from the file that names it.',
  },
  'registry.digest-mismatch': {
    status: 502,
    exit: 1,
    means: 'Content does not have the digest under which it was asked for.',
    remedy: 'Do not use the content; the registry, a proxy or the transport altered it.',
  },
  'artifact.not-found': {
    status: 404,
    exit: 1,
    means: 'The registry or layout answered and does not have the artifact.',
    remedy: 'Check the name, the tag and the digest, and whether the artifact was pushed.',
  },
  'artifact.no-platform': {
    status: 404,
    exit: 1,
    means: 'A multi-arch artifact has no runnable child for the chosen platform.',
    remedy: 'Choose one of the platforms that the message lists.',
  },
} as const;
