import { type Subject, textTrial, trial } from '../parser.ts';
import { tarSeed, tarTrial } from '../tar.ts';

const IMAGE_MANIFEST =
  '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0}],"annotations":{"a":"b"}}';
const IMAGE_INDEX =
  '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json","platform":{"architecture":"amd64","os":"linux"}}]}';

/** What registries, their clients and their configuration say. */
export const REGISTRY: readonly Subject[] = [
  {
    name: 'reference',
    seeds: [
      { text: 'registry.example:5000/acme/app:1.0' },
      { text: 'localhost/foo' },
      { text: 'alpine' },
      {
        text: '[::1]:5000/a/b:tag@sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
      },
      { text: 'oci:path/to/layout:tag' },
    ],
    load: async () => {
      const { formatReference, parseReference } = await import('@bulla/trust/oci/reference');
      return textTrial(parseReference, { encode: formatReference, law: 'stable' });
    },
  },
  {
    name: 'manifest',
    seeds: [{ text: IMAGE_MANIFEST }, { text: IMAGE_INDEX }],
    load: async () => {
      const { parseManifest } = await import('@bulla/trust/oci/manifest');
      return trial((bytes) => parseManifest({ bytes, mediaType: 'application/json' }));
    },
  },
  {
    name: 'referrer-list',
    seeds: [{ text: IMAGE_INDEX }],
    load: async () => {
      const { parseReferrerList } = await import('@bulla/trust/oci/referrer-list');
      return trial((bytes) => parseReferrerList(bytes, 'input'));
    },
  },
  {
    name: 'auth-file',
    seeds: [
      {
        text: '{"auths":{"registry.example":{"auth":"YTpi"},"b":{"identitytoken":"t"}},"credHelpers":{"c":"d"},"credsStore":"e"}',
      },
    ],
    load: async () => {
      const { parseAuthFile } = await import('@bulla/trust/oci/registry/auth-file');
      return trial((bytes) => parseAuthFile(bytes, 'input'));
    },
  },
  {
    name: 'pull-secret',
    seeds: [
      {
        text: '{"auths":{"https://index.docker.io/v1/":{"auth":"YTpi"},"*.example:5000/team":{"username":"a","password":"b"}}}',
      },
    ],
    load: async () => {
      const { parseDockerConfig, registriesOf } = await import(
        '@bulla/server/kubernetes/docker-config'
      );
      return trial((bytes) =>
        parseDockerConfig(bytes, 'dockerconfigjson').flatMap(({ key }) =>
          registriesOf(key, ['registry.example:5000']),
        ),
      );
    },
  },
  {
    name: 'www-authenticate',
    seeds: [
      { text: 'Bearer realm="https://auth.example/token",service="s",scope="repository:a/b:pull"' },
      { text: 'Basic realm="a \\"b\\"", Bearer realm=c' },
    ],
    load: async () => {
      const { parseChallenges } = await import('@bulla/trust/oci/registry/challenge');
      return textTrial(parseChallenges);
    },
  },
  {
    name: 'pushed-manifest',
    seeds: [{ text: IMAGE_MANIFEST }, { text: IMAGE_INDEX }],
    load: async () => {
      const { parseManifest } = await import('@bulla/server/gateway/parse');
      return trial((bytes) => parseManifest(bytes, null));
    },
  },
  {
    name: 'request-target',
    seeds: [
      { text: '/v2/acme/app/manifests/1.0' },
      { text: '/v2/a/blobs/uploads/?mount=sha256%3Aab&from=b' },
      { text: '/v2/a/tags/list?n=10&last=a' },
    ],
    load: async () => {
      const { parseTarget } = await import('@bulla/server/http/path');
      const { parseTargetPath } = await import('@bulla/server/gateway/http/target');
      return textTrial((text) => parseTargetPath(parseTarget(text).segments.slice(1)));
    },
  },
  {
    name: 'layout-tar',
    seeds: [{ hex: tarSeed() }],
    load: async () => {
      const { tarContent } = await import('@bulla/trust/oci/layout/tar');
      return tarTrial((path) => tarContent(path).read('index.json', 1 << 16));
    },
  },
];
