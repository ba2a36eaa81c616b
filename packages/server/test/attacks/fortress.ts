import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publicKeyPem } from '@bulla/trust/crypto/public-key';
import type { Digest } from '@bulla/trust/oci/digest';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference } from '@bulla/trust/oci/reference';
import { NO_SERVICES } from '@bulla/trust/proof/services';
import { signArtifact } from '@bulla/trust/sign';
import { signerOf } from '../../../trust/test/sigstore-lab/signer.ts';
import { type TestKey, testKey } from '../../../trust/test/tlog/synthetic-log.ts';
import type { ServerConfig } from '../../src/config/config.ts';
import { defaultConfig } from '../../src/config/parse.ts';
import { createLog } from '../../src/http/log.ts';
import { type Server, startServer } from '../../src/main.ts';
import { type Answer, ask, digestOf, OCI_MANIFEST } from '../gateway/client.ts';

/** The canonical host of the local store. */
export const HOST = 'registry.example';

/** What a test says of the server; the rest is usual. */
export interface FortressShape {
  /** The spec of the one policy, in YAML; `KEY` stands for the path of the public key. */
  readonly spec?: string;
  readonly gateway?: Partial<ServerConfig['gateway']>;
  /** Further sections. */
  readonly more?: Partial<ServerConfig>;
}

/** A whole server that enforces a policy, with its requests as an attacker would make them. */
export interface Fortress extends AsyncDisposable {
  readonly server: Server;
  readonly origin: string;
  readonly folder: string;
  /** The key whose signatures the policy wants. */
  readonly key: TestKey;
  readonly pushToken: string;
  /** A request with the push token; `anonymous` sends none. */
  send(
    method: string,
    path: string,
    more?: {
      readonly body?: string | Uint8Array;
      readonly headers?: Readonly<Record<string, string>>;
      readonly anonymous?: boolean;
    },
  ): Promise<Answer>;
  blob(repository: string, content: string | Uint8Array): Promise<Digest>;
  manifest(
    repository: string,
    reference: string,
    document: object,
    mediaType?: string,
  ): Promise<Digest>;
  /** An image of one layer; each text gives another digest. */
  image(repository: string, tag: string, says?: string): Promise<Digest>;
  pull(repository: string, reference: string): Promise<Answer>;
}

const SIGNED = `
  images: [{ glob: "**" }]
  authorities: { release: { key: { ref: KEY } } }
  require: { signed: { of: [release] } }`;

const IMAGE_CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar';

/** Starts a server in a new folder; disposing it removes the folder. */
export async function openFortress({ spec = SIGNED, gateway = {}, more = {} }: FortressShape = {}) {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'bulla-fortress-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const key = testKey('ecdsa-p256');
  await writeFile(join(folder, 'k.pub'), publicKeyPem(key.publicKey));
  await mkdir(join(folder, 'policies'));
  const head = 'apiVersion: bulla.dev/v1\nkind: TrustPolicy\nmetadata: { name: prod }\nspec:';
  const text = `${head}${spec.replaceAll('KEY', '../k.pub')}\n`;
  await writeFile(join(folder, 'policies/prod.yaml'), text);
  const usual = defaultConfig(folder);
  const server = opened.use(
    await startServer(
      {
        ...usual,
        data: join(folder, 'data'),
        listen: [{ url: 'http://127.0.0.1:0', tls: null }],
        policies: [join(folder, 'policies')],
        gateway: { ...usual.gateway, name: HOST, ...gateway },
        ...more,
      },
      { version: '0', log: createLog('silent'), consoleFolders: [], starterPolicy: null },
    ),
  );
  const [origin = ''] = server.addresses;
  const pushToken = server.firstStart?.pushToken.secret ?? '';
  const life = opened.move();
  const fortress: Fortress = {
    server,
    origin,
    folder,
    key,
    pushToken,
    ...requestsOf(origin, pushToken),
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  };
  return fortress;
}

type Requests = Pick<Fortress, 'send' | 'blob' | 'manifest' | 'image' | 'pull'>;

function requestsOf(origin: string, token: string): Requests {
  const basic = `Basic ${Buffer.from(`token:${token}`).toString('base64')}`;
  const send: Fortress['send'] = (method, path, { anonymous = false, headers, ...rest } = {}) =>
    ask(origin, {
      method,
      path,
      headers: { ...(anonymous ? {} : { authorization: basic }), ...headers },
      ...rest,
    });
  const created = (answer: Answer): void => {
    if (answer.status !== 201) throw new Error(`${answer.status} ${answer.body.toString()}`);
  };
  const blob: Fortress['blob'] = async (repository, content) => {
    const digest = digestOf(content);
    const path = `/v2/${repository}/blobs/uploads/?digest=${digest}`;
    created(await send('POST', path, { body: content }));
    return digest;
  };
  const manifest: Fortress['manifest'] = async (
    repository,
    reference,
    document,
    mediaType = OCI_MANIFEST,
  ) => {
    const body = JSON.stringify(document);
    const path = `/v2/${repository}/manifests/${reference}`;
    created(await send('PUT', path, { body, headers: { 'content-type': mediaType } }));
    return digestOf(body);
  };
  return {
    send,
    blob,
    manifest,
    async image(repository, tag, says = `${repository} ${tag}`) {
      const config = JSON.stringify({ architecture: 'amd64', os: 'linux', says });
      const layer = `layer of ${says}`;
      return manifest(repository, tag, {
        schemaVersion: 2,
        mediaType: OCI_MANIFEST,
        config: {
          mediaType: IMAGE_CONFIG,
          digest: await blob(repository, config),
          size: Buffer.byteLength(config),
        },
        layers: [
          {
            mediaType: LAYER,
            digest: await blob(repository, layer),
            size: Buffer.byteLength(layer),
          },
        ],
      });
    },
    pull: (repository, reference) =>
      send('GET', `/v2/${repository}/manifests/${reference}`, { anonymous: true }),
  };
}

/** Signs an image at a registry that anybody may write to, or by a token. */
export async function sign(host: string, name: string, key: TestKey, token?: string) {
  const reference = parseReference(`${host}/${name}`);
  const credentials = token === undefined ? {} : { username: 'token', password: token };
  const options = { env: {}, homeFolder: '/dev/null', ...credentials };
  await signArtifact({
    target: await openStore(reference, options),
    tagOrDigest: reference.digest ?? reference.tag ?? 'latest',
    dockerReference: `${HOST}/app`,
    formats: ['sigstore-bundle'],
    annotations: {},
    recursive: false,
    upload: true,
    signer: signerOf(key),
    services: NO_SERVICES,
    trustRoot: null,
    at: new Date(),
    now: () => performance.now(),
  });
}
