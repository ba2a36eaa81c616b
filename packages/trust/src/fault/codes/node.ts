/** Faults of nodes: containerd's verifier, the daemon that it asks, and the server's door for them. */
export const NODE_CODES = {
  'node.request-invalid': {
    status: 400,
    exit: 1,
    means: 'A question about an image is not what containerd asks its verifiers.',
    remedy: 'Install the verifier of this release with `bulla node install-verifier`.',
  },
  'node.digest-mismatch': {
    status: 403,
    exit: 1,
    means: 'What a node was about to use is not the digest that its name or its descriptor says.',
    remedy: 'Pull the image again; if it persists, find out what stands between node and registry.',
  },
  'node.server-absent': {
    status: 503,
    exit: 3,
    means: 'The server gave a node no answer, and no earlier pass may stand in.',
    remedy: 'Bring the server back; passes of the same image stand in for as long as --stale-for.',
  },
  'node.answer-malformed': {
    status: 502,
    exit: 1,
    means: 'A server answered a node something else than its API describes.',
    remedy: 'Use one release of Bulla on the server and its nodes.',
  },
  'node.cache-invalid': {
    status: 500,
    exit: 1,
    means: 'A file of a node’s cache is damaged, of somebody else, or writable for others.',
    remedy: 'Remove the folder of the cache; find out who else writes there.',
  },
  'node.folder-unsafe': {
    status: 500,
    exit: 2,
    means: 'A folder that a node relies on belongs to somebody else, or others can write to it.',
    remedy: 'Give a folder of the daemon’s own user, or of root, that nobody else can write to.',
  },
  'node.socket-taken': {
    status: 409,
    exit: 2,
    means: 'Another daemon listens on the socket, or something that is no socket lies there.',
    remedy: 'Stop the other daemon, or give another path with --socket.',
  },
  'node.busy': {
    status: 503,
    exit: 3,
    means: 'A node was asked about more images at a time than it takes.',
    remedy: 'Pull again in a moment; containerd does so by itself for Pods.',
  },
} as const;
