/**
 * What docker and containerd ask of a registry when they pull, request by request, with the headers that
 * decide about the answer. From moby 28 (distribution/pull_v2.go and the client of distribution),
 * and containerd 2 (core/remotes/docker: resolver.go, fetcher.go, authorizer.go).
 */
export interface RecordedPull {
  readonly client: string;
  readonly userAgent: string;
  /** How it learns that a token is wanted: docker asks `/v2/` first, containerd asks for what it wants. */
  readonly begins: 'ping' | 'resolve';
  /** How it fetches a token with credentials; without any, both use GET. */
  readonly token: 'get' | 'post';
  /** The headers `Accept` of the first question about a tag, a line each. */
  readonly resolveAccept: readonly string[];
  /** `Accept` for a manifest of a known type. */
  readonly manifestAccept: (mediaType: string) => readonly string[];
  /** `Accept` for a blob of a known type. */
  readonly blobAccept: (mediaType: string) => readonly string[];
  /** A query beside each request; containerd names the registry that a mirror stands for. */
  readonly query: string;
  /** Whether it asks again by GET when HEAD was refused, to have the reason. */
  readonly asksWhy: boolean;
}

const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';

/** As the client of distribution registers them, each in a line of its own. */
const DOCKER_TYPES = [DOCKER_MANIFEST, DOCKER_LIST, OCI_INDEX, OCI_MANIFEST];

const CONTAINERD: RecordedPull = {
  client: 'containerd 2',
  userAgent: 'containerd/v2.1.4',
  begins: 'resolve',
  token: 'post',
  resolveAccept: [[DOCKER_MANIFEST, DOCKER_LIST, OCI_MANIFEST, OCI_INDEX, '*/*'].join(', ')],
  manifestAccept: (mediaType) => [`${mediaType}, */*`],
  blobAccept: (mediaType) => [`${mediaType}, */*`],
  query: '',
  asksWhy: false,
};

/** The recorded clients. */
export const RECORDED_PULLS: readonly RecordedPull[] = [
  {
    client: 'docker 28',
    userAgent:
      'docker/28.2.2 go/go1.24.3 git-commit/45873be kernel/6.1.0 os/linux arch/amd64 UpstreamClient(Docker-Client/28.2.2 \\(linux\\))',
    begins: 'ping',
    token: 'get',
    resolveAccept: DOCKER_TYPES,
    manifestAccept: () => DOCKER_TYPES,
    blobAccept: () => [],
    query: '',
    asksWhy: true,
  },
  CONTAINERD,
  {
    ...CONTAINERD,
    client: 'containerd 2 by a mirror of hosts.toml',
    query: '?ns=registry.example',
  },
];
