import type { CodeTable } from '../code-table.ts';

/** Faults of Bulla's servers: HTTP as such, and the registry. */
export const SERVER_CODES = {
  'http.path-invalid': {
    status: 400,
    exit: 1,
    means:
      'A request path has an empty or dotted segment, an encoded slash, or a malformed escape.',
    remedy: 'Ask for a path as the protocol writes it.',
  },
  'http.not-found': {
    status: 404,
    exit: 1,
    means: 'No protocol of this server has such a path.',
    remedy: 'Check the path; `GET /v2/` tells whether a registry answers.',
  },
  'http.method-unsupported': {
    status: 405,
    exit: 1,
    means: 'The path exists, but not with this method.',
    remedy: 'Use one of the methods in the Allow header.',
  },
  'http.request-invalid': {
    status: 400,
    exit: 1,
    means: 'A request cannot be read: a malformed header, media type or query.',
    remedy: 'Send the request as the protocol writes it.',
  },
  'http.body-cut': {
    status: 400,
    exit: 3,
    means: 'The connection ended before the whole body had arrived.',
    remedy: 'Send the content again, or go on from the offset that the server reports.',
  },
  'http.listen': {
    status: 500,
    exit: 2,
    means: 'The server cannot listen on the address that it was given.',
    remedy: 'Give a free port and an address of this machine.',
  },
  'gateway.name-invalid': {
    status: 400,
    exit: 1,
    means: 'A repository name does not follow the distribution grammar.',
    remedy: 'Name the repository in lower-case letters, digits, and single separators.',
  },
  'gateway.name-unknown': {
    status: 404,
    exit: 1,
    means: 'The registry has no such repository.',
    remedy: 'Check the name, or push to it first.',
  },
  'gateway.reference-invalid': {
    status: 400,
    exit: 1,
    means: 'What follows manifests/ is neither a tag nor a digest.',
    remedy: 'Give a tag of at most 128 characters, or sha256:<64 hex>.',
  },
  'gateway.digest-invalid': {
    status: 400,
    exit: 1,
    means: 'A digest is malformed, of an unknown algorithm, or not the one of the content.',
    remedy: 'Compute the digest again and send the content with it.',
  },
  'gateway.blob-unknown': {
    status: 404,
    exit: 1,
    means: 'The repository has no such blob.',
    remedy: 'Push or mount the blob into this repository first.',
  },
  'gateway.upload-invalid': {
    status: 400,
    exit: 1,
    means: 'An upload request has a malformed range or lacks its digest.',
    remedy: 'Send Content-Range as FIRST-LAST, and the digest with the closing PUT.',
  },
  'gateway.upload-unknown': {
    status: 404,
    exit: 1,
    means: 'The repository has no such open upload: it was closed, cancelled, or has timed out.',
    remedy: 'Start the upload again.',
  },
  'gateway.upload-busy': {
    status: 409,
    exit: 3,
    means: 'Another request is writing to the same upload.',
    remedy: 'Wait until the other request has ended, ask for the offset, and go on from there.',
  },
  'gateway.chunk-out-of-order': {
    status: 416,
    exit: 1,
    means: 'A chunk does not start where the upload ends.',
    remedy: 'Ask for the status of the upload and go on from there.',
  },
  'gateway.size-invalid': {
    status: 400,
    exit: 1,
    means: 'A body does not have the length that its headers say.',
    remedy: 'Send the content again with its real length.',
  },
  'gateway.blob-too-large': {
    status: 413,
    exit: 1,
    means: 'A blob is larger than this registry accepts.',
    remedy: "Push smaller layers, or raise the limit in the registry's configuration.",
  },
  'gateway.manifest-unknown': {
    status: 404,
    exit: 1,
    means: 'The repository has no such manifest.',
    remedy: 'Check the tag or the digest, or push the manifest first.',
  },
  'gateway.manifest-invalid': {
    status: 400,
    exit: 1,
    means: 'A manifest is not what its media type describes.',
    remedy: 'Push the artifact again with a tool that follows the OCI image specification.',
  },
  'gateway.manifest-too-large': {
    status: 413,
    exit: 1,
    means: 'A manifest is larger than 4 MiB.',
    remedy: 'Move content from the manifest into a blob.',
  },
  'gateway.manifest-blob-unknown': {
    status: 404,
    exit: 1,
    means: 'A manifest names blobs or manifests that the repository does not have.',
    remedy: 'Push what the message names first, then the manifest.',
  },
  'gateway.precondition-failed': {
    status: 412,
    exit: 1,
    means: 'A tag no longer points to what If-Match or If-None-Match says.',
    remedy: 'Read the tag again, apply the change to what it is now, and send it again.',
  },
  'gateway.page-invalid': {
    status: 400,
    exit: 1,
    means: 'A page size is not a whole number.',
    remedy: 'Give n as a whole number.',
  },
  'gateway.referrers-off': {
    status: 404,
    exit: 1,
    means: 'This registry is configured without the referrers API.',
    remedy: 'Use the referrers tag schema of the distribution specification.',
  },
} as const satisfies CodeTable;
