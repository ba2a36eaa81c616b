import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureLocalCa } from '../../src/http/tls/local-ca.ts';

// biome-ignore lint/suspicious/noExplicitAny: objects of a cluster have any shape
export type Json = any;

interface Change {
  readonly version: number;
  readonly collection: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: Json;
}

/** A small Kubernetes API server: objects in memory, list, watch, conflicts and patches as the real one has them. */
export interface TestApiServer extends AsyncDisposable {
  readonly kubeconfig: string;
  readonly folder: string;
  /** Puts an object by its path, as kubectl would. */
  put(path: string, object: Json): Json;
  remove(path: string): void;
  /** The object as it is. */
  read(path: string): Json;
  /** Forgets its history: a watch from before is 410 Gone. */
  compact(): void;
  /** Ends every watch without a word. */
  cutWatches(): void;
  /** Answers requests whose `METHOD path` contains the text with this status until told otherwise. */
  fail(matching: string, status: number | null): void;
  /** Is called before a request is answered, to play who comes in between. */
  between(act: ((method: string, path: string) => void) | null): void;
  /** `METHOD path` of each request. */
  readonly asked: readonly string[];
}

export const TOKEN = 'a-token-of-the-cluster';

export async function startTestApiServer(): Promise<TestApiServer> {
  const folder = await mkdtemp(join(tmpdir(), 'bulla-kubernetes-'));
  const ca = await ensureLocalCa({ folder: join(folder, 'tls'), at: new Date() });
  const cluster = createCluster();
  const server = createServer(
    { cert: await readFile(ca.certificateFile), key: await readFile(ca.keyFile) },
    (request, response) => void cluster.handle(request, response),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(
    kubeconfig,
    `apiVersion: v1
kind: Config
current-context: test
clusters: [{ name: test, cluster: { server: "https://127.0.0.1:${port}", certificate-authority: ${JSON.stringify(ca.caFile)} } }]
users: [{ name: test, user: { token: ${TOKEN} } }]
contexts: [{ name: test, context: { cluster: test, user: test, namespace: bulla-system } }]
`,
  );
  return {
    ...cluster.door,
    kubeconfig,
    folder,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    },
  };
}

function createCluster() {
  const objects = new Map<string, Json>();
  const history: Change[] = [];
  const watches = new Set<{ readonly collection: string; readonly response: ServerResponse }>();
  const failures = new Map<string, number>();
  const asked: string[] = [];
  let interloper: ((method: string, path: string) => void) | null = null;
  let version = 100;
  let oldest = 0;

  const collectionOf = (path: string) => path.slice(0, path.lastIndexOf('/'));
  const store = (path: string, object: Json): Json => {
    const before = objects.get(path);
    version += 1;
    const grown = JSON.stringify(before?.spec) === JSON.stringify(object.spec) ? 0 : 1;
    const stored = {
      ...object,
      metadata: {
        ...object.metadata,
        name: path.slice(path.lastIndexOf('/') + 1),
        uid: before?.metadata.uid ?? `uid-${version}`,
        generation: (before?.metadata.generation ?? 0) + grown,
        resourceVersion: String(version),
      },
    };
    objects.set(path, stored);
    tell(before === undefined ? 'ADDED' : 'MODIFIED', path, stored);
    return stored;
  };
  const tell = (type: Change['type'], path: string, object: Json): void => {
    const change = { version, collection: collectionOf(path), type, object };
    history.push(change);
    for (const { collection, response } of watches) {
      if (collection === change.collection) response.write(eventLine(type, object));
    }
  };
  const watch = (collection: string, query: URLSearchParams, response: ServerResponse): void => {
    const from = Number(query.get('resourceVersion'));
    response.writeHead(200, { 'content-type': 'application/json' });
    if (from < oldest) {
      response.end(eventLine('ERROR', { kind: 'Status', code: 410, reason: 'Expired' }));
      return;
    }
    response.flushHeaders();
    for (const change of history) {
      if (change.collection === collection && change.version > from) {
        response.write(eventLine(change.type, change.object));
      }
    }
    const entry = { collection, response };
    watches.add(entry);
    response.once('close', () => watches.delete(entry));
  };
  const list = (collection: string, query: URLSearchParams): Json => {
    const all = [...objects].filter(([path]) => collectionOf(path) === collection);
    const from = Number(query.get('continue') ?? 0);
    // Pages of two, whatever was asked for: the real one may give fewer as well.
    const items = all.slice(from, from + 2).map(([, object]) => object);
    const more = from + 2 < all.length ? { continue: String(from + 2) } : {};
    return { kind: 'List', metadata: { resourceVersion: String(version), ...more }, items };
  };
  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', headers } = request;
    const { pathname, searchParams } = new URL(request.url ?? '/', 'https://localhost');
    asked.push(`${method} ${pathname}${searchParams.has('watch') ? '?watch' : ''}`);
    const body = await bodyOf(request);
    interloper?.(method, pathname);
    const answer = (status: number, value: Json) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(value));
    };
    const refuse = (status: number, message: string) =>
      answer(status, { kind: 'Status', status: 'Failure', code: status, message });
    if (headers.authorization !== `Bearer ${TOKEN}`) return refuse(401, 'Unauthorized');
    const failing = [...failures].find(([text]) => `${method} ${pathname}`.includes(text));
    if (failing !== undefined) return refuse(failing[1], 'as the test wants it');
    const status = pathname.endsWith('/status');
    const path = status ? collectionOf(pathname) : pathname;
    const found = objects.get(path);
    switch (method) {
      case 'GET':
        if (searchParams.get('watch') === 'true') return watch(path, searchParams, response);
        if (found !== undefined) return answer(200, found);
        return COLLECTION.test(path)
          ? answer(200, list(path, searchParams))
          : refuse(404, 'not found');
      case 'POST': {
        const target = `${path}/${body.metadata.name}`;
        if (objects.has(target)) return refuse(409, 'already exists');
        return answer(201, store(target, body));
      }
      case 'PUT':
        if (found === undefined) return refuse(404, 'not found');
        if (body.metadata.resourceVersion !== found.metadata.resourceVersion) {
          return refuse(409, 'the object has been modified');
        }
        return answer(200, store(path, body));
      case 'PATCH': {
        if (found === undefined) return refuse(404, 'not found');
        if (headers['content-type'] === 'application/merge-patch+json') {
          // The status subresource changes nothing else.
          const patch = status ? { status: body.status } : body;
          return answer(200, store(path, merged(found, patch)));
        }
        const patched = jsonPatched(found, body);
        return patched === null
          ? refuse(422, 'the test failed')
          : answer(200, store(path, patched));
      }
      default:
        return refuse(405, 'not allowed');
    }
  }
  const door = {
    asked,
    put: store,
    remove(path: string) {
      const object = objects.get(path);
      objects.delete(path);
      version += 1;
      tell('DELETED', path, {
        ...object,
        metadata: { ...object.metadata, resourceVersion: String(version) },
      });
    },
    read: (path: string) => objects.get(path),
    compact() {
      version += 1;
      oldest = version;
      history.length = 0;
    },
    cutWatches() {
      for (const { response } of watches) response.destroy();
    },
    fail(matching: string, status: number | null) {
      if (status === null) failures.delete(matching);
      else failures.set(matching, status);
    },
    between(act: ((method: string, path: string) => void) | null) {
      interloper = act;
    },
  };
  return { handle, door };
}

const COLLECTION =
  /\/(trustpolicies|clusterimagepolicies|secrets|serviceaccounts|mutatingwebhookconfigurations|validatingwebhookconfigurations|providers)$/;

function eventLine(type: string, object: Json): string {
  return `${JSON.stringify({ type, object })}\n`;
}

async function bodyOf(request: IncomingMessage): Promise<Json> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? null : JSON.parse(Buffer.concat(chunks).toString());
}

/** RFC 7386. */
function merged(target: Json, patch: Json): Json {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key] ?? {}, value);
  }
  return result;
}

/** RFC 6902, as far as `test`, `add` and `replace` of members go; null when a test fails. */
function jsonPatched(target: Json, operations: Json): Json | null {
  const result = structuredClone(target);
  for (const { op, path, value } of operations) {
    const names = path.split('/').slice(1);
    const last = names.pop();
    const parent = names.reduce((at: Json, name: string) => at[name], result);
    if (op === 'test' && JSON.stringify(parent[last]) !== JSON.stringify(value)) return null;
    if (op === 'add' || op === 'replace') parent[last] = value;
  }
  return result;
}
