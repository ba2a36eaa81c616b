import { Agent, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { computeDigest, type Digest } from '@bulla/trust/oci/digest';
import { type Registry, type RegistryOptions, startRegistry } from '../../src/registry.ts';
import { temporaryFolder } from '../storage/rooms.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  /** The specification's code, when the body is an error. */
  readonly error: string | undefined;
}

export interface Ask {
  readonly method?: string;
  /** Sent as it is: nothing normalises it. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Sent with Transfer-Encoding: chunked. */
  readonly chunked?: boolean;
}

const agent = new Agent({ keepAlive: true, maxSockets: 32 });

/** One request to a registry on loopback. */
export function ask(url: string, { method = 'GET', path, headers, body, chunked }: Ask) {
  return new Promise<Answer>((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const length =
      body === undefined || chunked ? {} : { 'content-length': Buffer.byteLength(body) };
    const sent = request({
      hostname,
      port,
      path,
      method,
      agent,
      headers: { ...length, ...headers },
    });
    sent.on('error', reject);
    sent.on('response', (response) => {
      buffer(response).then((bytes) => {
        const flat = Object.entries(response.headers).map(
          ([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value] as const,
        );
        resolve({
          status: response.statusCode ?? 0,
          headers: Object.fromEntries(flat),
          body: bytes,
          error: errorOf(bytes),
        });
      }, reject);
    });
    if (chunked && body !== undefined) sent.write(body);
    sent.end(chunked ? undefined : body);
  });
}

function errorOf(body: Buffer): string | undefined {
  try {
    const value = JSON.parse(body.toString()) as { errors?: { code: string }[] };
    return value.errors?.[0]?.code;
  } catch {
    return undefined;
  }
}

/** A registry of each kind of storage, and what to call it in a test's name. */
export const KINDS = [
  {
    kind: 'memory',
    start: (options?: RegistryOptions): Promise<Registry> =>
      startRegistry({ storage: 'memory' }, options),
  },
  {
    kind: 'files',
    async start(options?: RegistryOptions): Promise<Registry> {
      const folder = await temporaryFolder();
      const registry = await startRegistry({ storage: 'files', folder: folder.path }, options);
      const close = async () => {
        await registry.close();
        await folder[Symbol.asyncDispose]();
      };
      return { ...registry, close, [Symbol.asyncDispose]: close };
    },
  },
] as const;

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const EMPTY = 'application/vnd.oci.empty.v1+json';

export function digestOf(content: string | Uint8Array): Digest {
  return computeDigest(typeof content === 'string' ? new TextEncoder().encode(content) : content);
}

/** Pushes a blob in one request. */
export async function pushBlob(url: string, repository: string, content: string | Uint8Array) {
  const digest = digestOf(content);
  const path = `/v2/${repository}/blobs/uploads/?digest=${digest}`;
  const answer = await ask(url, { method: 'POST', path, body: content });
  if (answer.status !== 201) throw new Error(`${answer.status} ${answer.body.toString()}`);
  return digest;
}

export interface ManifestPieces {
  readonly subject?: Digest;
  readonly artifactType?: string;
  readonly annotations?: Record<string, string>;
  readonly layers?: readonly string[];
}

/** The text of an image manifest whose config is `{}`. */
export function manifestOf({ layers = [], subject, ...rest }: ManifestPieces = {}): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: EMPTY, digest: digestOf('{}'), size: 2 },
    layers: layers.map((layer) => ({
      mediaType: 'application/octet-stream',
      digest: digestOf(layer),
      size: layer.length,
    })),
    ...(subject === undefined
      ? {}
      : { subject: { mediaType: OCI_MANIFEST, digest: subject, size: 1 } }),
    ...rest,
  });
}

export function putManifest(
  url: string,
  repository: string,
  reference: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
) {
  const path = `/v2/${repository}/manifests/${reference}`;
  return ask(url, {
    method: 'PUT',
    path,
    body,
    headers: { 'content-type': OCI_MANIFEST, ...headers },
  });
}

/** Pushes a manifest with its blobs, and answers its digest. */
export async function pushImage(
  url: string,
  repository: string,
  tag: string | null,
  pieces: ManifestPieces = {},
) {
  for (const blob of ['{}', ...(pieces.layers ?? [])]) await pushBlob(url, repository, blob);
  const body = manifestOf(pieces);
  const answer = await putManifest(url, repository, tag ?? digestOf(body), body);
  if (answer.status !== 201) throw new Error(`${answer.status} ${answer.body.toString()}`);
  return digestOf(body);
}
