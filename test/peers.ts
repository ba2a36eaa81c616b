import { accessSync, constants, existsSync, globSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { TestContext } from 'node:test';

const ROOT = join(import.meta.dirname, '..');

const BY_VERSION = new Intl.Collator('en', { numeric: true });

/** Where `.ci/run` installs the peers that come from PyPI. */
const VENV_BIN = join(ROOT, '.peers', 'venv', 'bin');

/**
 * How each peer is found: a program of the PATH, or one of the virtual environment. What is
 * `debian` here is installed by `.ci/run`, and a test holds the two together.
 */
export const PEERS = {
  buildah: { from: 'debian', program: 'buildah' },
  chromium: { from: 'debian', program: 'chromium' },
  'docker-registry': { from: 'debian', program: 'docker-registry' },
  openssl: { from: 'debian', program: 'openssl' },
  podman: { from: 'debian', program: 'podman' },
  // The server: Debian keeps each version's programs in a folder of their own, off the PATH.
  postgresql: { from: 'debian', program: 'postgres', folders: '/usr/lib/postgresql/*/bin' },
  skopeo: { from: 'debian', program: 'skopeo' },
  wrk: { from: 'debian', program: 'wrk' },
  'sigstore-python': { from: 'pypi', program: 'sigstore' },
  python: { from: 'pypi', program: 'python' },
  containerd: { from: 'optional', program: 'containerd' },
  cosign: { from: 'optional', program: 'cosign' },
  crane: { from: 'optional', program: 'crane' },
  ctr: { from: 'optional', program: 'ctr' },
  docker: { from: 'optional', program: 'docker' },
  etcd: { from: 'optional', program: 'etcd' },
  helm: { from: 'optional', program: 'helm' },
  'kube-apiserver': { from: 'optional', program: 'kube-apiserver' },
  kubectl: { from: 'optional', program: 'kubectl' },
  notation: { from: 'optional', program: 'notation' },
  opa: { from: 'optional', program: 'opa' },
  oras: { from: 'optional', program: 'oras' },
} as const satisfies Record<
  string,
  {
    readonly from: 'debian' | 'pypi' | 'optional';
    readonly program: string;
    readonly folders?: string;
  }
>;

/** A program of other people that tests run against Bulla. */
export type Peer = keyof typeof PEERS;

/**
 * The absolute path of a peer's program, or null when this machine does not have it. Debian's and
 * the optional peers are looked for on the PATH, PyPI's in `.peers/venv` only: a `sigstore` of
 * another version that happens to be installed is not the one that the tests were written for.
 */
export function peer(name: Peer): string | null {
  const { program } = PEERS[name];
  for (const folder of foldersOf(name)) {
    if (folder === '') continue;
    const path = join(folder, program);
    if (isProgram(path)) return path;
  }
  return null;
}

/**
 * The path of a peer for a test that cannot run without it. When it is missing the test is skipped
 * with the peer's name and null comes back (the test then returns); with `BULLA_PEERS=required`
 * the test fails instead, unless the peer is one of the optional ones.
 *
 * @example const skopeo = requirePeer(t, 'skopeo'); if (skopeo === null) return;
 */
export function requirePeer(t: Pick<TestContext, 'skip'>, name: Peer): string | null {
  const path = peer(name);
  if (path !== null) return path;
  if (PEERS[name].from !== 'optional' && process.env['BULLA_PEERS'] === 'required') {
    throw new Error(`${name} is not installed, and BULLA_PEERS=required asks for it (see .ci/run)`);
  }
  t.skip(`peer missing: ${name}`);
  return null;
}

/**
 * The folder of public test suites beside the clone (`../shared/vectors`, or one suite's folder in
 * it). When it is not there the test is skipped by its name and null comes back; in CI (`CI=true`)
 * the test fails instead.
 */
export function vectorsFolder(t: Pick<TestContext, 'skip'>, suite = ''): string | null {
  const folder = join(ROOT, '..', 'shared', 'vectors', suite);
  if (existsSync(folder)) return folder;
  const name = `../shared/vectors/${suite}`;
  if (process.env['CI'] === 'true') throw new Error(`${name} is missing, and CI=true asks for it`);
  t.skip(`vectors missing: ${name}`);
  return null;
}

/** Where a peer is looked for; of several versions the newest comes first. */
function foldersOf(name: Peer): readonly string[] {
  const sought = PEERS[name];
  if (sought.from === 'pypi') return [VENV_BIN];
  if (!('folders' in sought)) return (process.env['PATH'] ?? '').split(delimiter);
  return globSync(sought.folders).sort(BY_VERSION.compare).toReversed();
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
