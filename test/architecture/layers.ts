/**
 * The layers of the packages as data: the table of ranks of the design, the kinds of rooms with
 * their file sets, the folders that may do I/O, and who may import whom across packages.
 */

/** A package of `packages/`, by its folder's name. */
export interface PackageLayers {
  /** Folder (or file) directly under `src/` → rank; a file imports its own folder or a lower rank. */
  readonly ranks: Readonly<Record<string, number>>;
  /** Folders whose subfolders are rooms: no room imports another. */
  readonly roomsIn: readonly string[];
  /** Matches the paths under `src/` that may touch files, the network, the clock or the environment. */
  readonly io: RegExp;
  /** Packages of the workspace that this one may import, each with the paths that may do so. */
  readonly imports: Readonly<Record<string, RegExp>>;
  /** True where only types may come from another package. */
  readonly typesOnly?: true;
}

export const PACKAGES = {
  trust: {
    ranks: {
      fault: 0,
      bytes: 1,
      finding: 1,
      crypto: 2,
      x509: 3,
      tlog: 3,
      tuf: 3,
      envelopes: 3,
      claims: 3,
      oci: 3,
      // Which images a Dockerfile or a Kubernetes or Compose file names.
      images: 4,
      timestamp: 4,
      logentries: 4,
      identity: 4,
      clients: 5,
      'trust-root': 5,
      // What the Sigstore formats prove alike: signer, log entry and trusted time under a trust root.
      proof: 5.5,
      formats: 6,
      keys: 6,
      policy: 7,
      // The two verbs, each above its parts; what was signed is verified before it leaves.
      verify: 8,
      'verify.ts': 8.1,
      sign: 8.2,
      'sign.ts': 8.3,
      inventory: 8,
      inspect: 8,
      parcel: 8,
      doctor: 8,
      'inventory.ts': 8.1,
      'parcel.ts': 8.1,
      'doctor.ts': 8.1,
      // What a door decides about one image, by its policies.
      decide: 8.4,
      'decide.ts': 8.5,
      // What explains or removes what the inventory found.
      'inspect.ts': 8.2,
      'clean.ts': 8.2,
    },
    roomsIn: ['formats', 'keys', 'identity', 'policy/import', 'policy/export'],
    io: /^(oci|clients|keys|policy\/(cel|files)|sign|verify|inventory|parcel|doctor|decide)\/|^formats\/[^/]+\/(find|sign|format)\.ts$|^(sign|verify|inventory|inspect|parcel|clean|doctor|decide)\.ts$/,
    imports: {},
  },
  server: {
    ranks: {
      // What keeps memory and work within bounds, for every room.
      bounds: -1,
      http: 0,
      storage: 0,
      config: 0,
      // What every door asks: the policies in force, the cache of decisions.
      decision: 0.5,
      // How other registries are reached.
      registries: 0,
      // Questions about images by any reference, for every door that serves none.
      reach: 0.7,
      hooks: 1,
      notary: 1,
      ca: 1,
      'ct-log': 1,
      log: 1,
      tsa: 1,
      'trust-root': 1,
      oidc: 1,
      gateway: 1,
      admission: 1,
      exceptions: 1,
      gatekeeper: 1,
      node: 1,
      // The daemon that runs on nodes: it speaks to their door.
      'node-agent': 1.2,
      watch: 1,
      record: 1,
      // What follows the record's entries: it reads their bodies.
      stream: 1.2,
      // What would have been refused, and what other policies would have decided.
      rollout: 1.2,
      impact: 1.2,
      access: 1,
      console: 1,
      overview: 1,
      // A cluster as the server sees it; pull secrets become what a question about an image brings.
      kubernetes: 1.2,
      'admission-tls': 1.3,
      // The registry wired on its own, for the demo and for tests; main.ts wires everything.
      'registry.ts': 2,
      // The rooms that the configuration names, opened.
      'store.ts': 2,
      // Each room made from the configuration, for main.ts to put together.
      wiring: 2.5,
      'up.ts': 3.1,
      'main.ts': 3,
    },
    roomsIn: ['storage'],
    io: /./,
    imports: { trust: /./ },
  },
  cli: {
    ranks: {
      'context.ts': 0,
      output: 1,
      options: 2,
      server: 2.5,
      commands: 3,
      'main.ts': 4,
      'start.ts': 5,
      'containerd-verifier.ts': 5,
    },
    roomsIn: [],
    io: /./,
    imports: {
      trust: /./,
      server: /^(commands\/(up|serve|user|token|record|decisions|config|node)(\.ts$|\/)|server\/)/,
    },
  },
  console: {
    ranks: { api: 0, parts: 1, pages: 2, shell: 3, 'main.tsx': 4 },
    // A page knows no other page; what two of them show is a part.
    roomsIn: ['pages'],
    // The network and the clock.
    io: /^api\//,
    // The shapes of the API's answers.
    imports: { server: /^api\// },
    typesOnly: true,
  },
} as const satisfies Readonly<Record<string, PackageLayers>>;

/** Rooms and the files that each of a kind has; more files are allowed, fewer are not. */
export const ROOM_FILES = [
  {
    kind: 'format',
    rooms: /^trust\/src\/formats\/[^/]+$/,
    files: ['README.md', 'parse.ts', 'build.ts', 'sign.ts', 'verify.ts', 'find.ts', 'format.ts'],
  },
  {
    kind: 'key store',
    rooms: /^trust\/src\/keys\/[^/]+$/,
    files: ['README.md', 'reference.ts', 'open.ts', 'signer.ts'],
  },
  {
    kind: 'storage',
    // Beside the rooms lie what all of them hold: the rows' shapes, and the steps to them.
    rooms: /^server\/src\/storage\/(?!migrations$|schema$)[^/]+$/,
    files: ['README.md', 'open.ts'],
  },
  {
    kind: 'service',
    rooms:
      /^server\/src\/(notary|ca|ct-log|log|tsa|trust-root|oidc|gateway|admission|gatekeeper|watch|record|stream|access|console)$/,
    files: ['README.md', 'config.ts', 'service.ts', 'routes.ts'],
  },
] as const;

/** Names that say nothing of what a file or a folder holds. */
export const FORBIDDEN_NAMES = new Set([
  'base',
  'common',
  'constants',
  'helper',
  'helpers',
  'misc',
  'types',
  'util',
  'utils',
]);

export const LINES_MOST = 400;

/** Lines of one function, without those of the functions inside it. */
export const FUNCTION_LINES_MOST = 60;
