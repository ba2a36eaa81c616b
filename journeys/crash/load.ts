import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Owner, RunningServer } from '../server.ts';
import type { Ledger } from './ledger.ts';

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const PUSHERS = 2;
const PULL_EVERY_MS = 10;

/** What the clients of a crash play against. */
export interface Load {
  readonly server: RunningServer;
  readonly owner: Owner;
  /** Pulls, pushes and deletes. */
  readonly token: string;
  /** In the names of all that this round makes. */
  readonly round: number;
  readonly ledger: Ledger;
  /** Told of each answer, before it is worked on. */
  readonly answered: () => void;
}

/** A repository whose policy audits: all of it is served, and each pull is a decision. */
export const AUDITED = 'load/app';
/** One whose policy enforces, and in which only `SIGNED` is signed. */
export const ENFORCED = 'prod/app';
/** The tag of an image in both that is there, and signed, before the first kill. */
export const SIGNED = 'signed';

/** Works with the server until it is gone, and notes what was answered. */
export async function workUntilKilled(load: Load): Promise<void> {
  const pushers = Array.from({ length: PUSHERS }, (_, n) => push(load, n));
  await Promise.all([...pushers, pull(load, AUDITED), pull(load, ENFORCED), makeTokens(load)]);
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
}

/** The answer, or null when the server is gone. An answer of its own failure is a surprise. */
async function ask(load: Load, path: string, init: RequestInit = {}): Promise<Answer | null> {
  const authorization = `Basic ${Buffer.from(`token:${load.token}`).toString('base64')}`;
  try {
    const answer = await fetch(new URL(path, load.server.origin), {
      ...init,
      headers: { authorization, ...init.headers },
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    load.answered();
    if (answer.status >= 500) {
      load.ledger.surprises.push(`${init.method ?? 'GET'} ${path}: ${answer.status} ${bytes}`);
    }
    return { status: answer.status, headers: answer.headers, bytes };
  } catch {
    return null;
  }
}

function digestOf(bytes: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Images of one worker: a layer of its own and a shared one, one tag of its own and one that moves. */
async function push(load: Load, worker: number): Promise<void> {
  const { ledger, round } = load;
  for (let n = 0; ; n++) {
    const name = `r${round}-w${worker}-${n}`;
    const repository = n % 3 === 2 ? ENFORCED : AUDITED;
    const layers = [`${name} ${'x'.repeat((n * 7919) % 100_000)}`, `shared ${n % 5}`];
    const blobs = ['{}', ...layers];
    for (const [at, blob] of blobs.entries()) {
      if (!(await pushBlob(load, repository, blob, (n + at) % 2 === 0))) return;
    }
    const [config, ...rest] = blobs.map((blob) => ({
      mediaType: 'application/octet-stream',
      digest: digestOf(blob),
      size: Buffer.byteLength(blob),
    }));
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config,
      layers: rest,
      annotations: { name },
    });
    const digest = digestOf(manifest);
    if (!(await putManifest(load, repository, name, manifest))) return;
    ledger.images.push({ repository, tag: name, digest, blobs: blobs.map(digestOf) });
    const moving = `${repository}:moving-${worker}`;
    const before = ledger.moved.get(moving)?.acked ?? null;
    ledger.moved.set(moving, { acked: before, asked: digest });
    if (!(await putManifest(load, repository, `moving-${worker}`, manifest))) return;
    ledger.moved.set(moving, { acked: digest, asked: digest });
    if (n % 4 === 3 && !(await removeOldest(load, worker))) return;
  }
}

/** Deletes an image that this worker pushed in this round, and that no moving tag leads to. */
async function removeOldest({ ledger, ...load }: Load, worker: number): Promise<boolean> {
  const own = `r${load.round}-w${worker}-`;
  const moved = new Set([...ledger.moved.values()].flatMap(({ acked, asked }) => [acked, asked]));
  const at = ledger.images.findIndex(
    ({ tag, digest }) => tag.startsWith(own) && !moved.has(digest),
  );
  const [image] = at < 0 ? [] : ledger.images.splice(at, 1);
  if (image === undefined) return true;
  const key = `${image.repository}@${image.digest}`;
  ledger.deleted.set(key, 'asked');
  const path = `/v2/${image.repository}/manifests/${image.digest}`;
  const answer = await ask({ ...load, ledger }, path, { method: 'DELETE' });
  if (answer === null) return false;
  if (answer.status !== 202) ledger.surprises.push(`DELETE ${path}: ${answer.status}`);
  ledger.deleted.set(key, 'acked');
  return true;
}

/** False when the server is gone. In one request, or in two pieces and a commit. */
async function pushBlob(
  load: Load,
  repository: string,
  content: string,
  isWhole: boolean,
): Promise<boolean> {
  const digest = digestOf(content);
  const uploads = `/v2/${repository}/blobs/uploads/`;
  const type = { 'content-type': 'application/octet-stream' };
  if (isWhole) {
    const post = { method: 'POST', headers: type, body: content };
    return isAnswer(load, await ask(load, `${uploads}?digest=${digest}`, post), 201);
  }
  const opened = await ask(load, uploads, { method: 'POST' });
  if (!isAnswer(load, opened, 202)) return false;
  const { uploads: unfinished } = load.ledger;
  let location = opened?.headers.get('location') ?? '';
  let acked = 0;
  const half = content.length >> 1;
  for (const piece of [content.slice(0, half), content.slice(half)]) {
    unfinished.set(location, acked);
    const sent = await ask(load, location, { method: 'PATCH', headers: type, body: piece });
    if (!isAnswer(load, sent, 202)) return false;
    unfinished.delete(location);
    location = sent?.headers.get('location') ?? location;
    acked += piece.length;
    unfinished.set(location, acked);
  }
  // From here on it may be finished, or not.
  unfinished.delete(location);
  const end = `${location}${location.includes('?') ? '&' : '?'}digest=${digest}`;
  return isAnswer(load, await ask(load, end, { method: 'PUT' }), 201);
}

async function putManifest(
  load: Load,
  repository: string,
  tag: string,
  body: string,
): Promise<boolean> {
  const path = `/v2/${repository}/manifests/${tag}`;
  const put = { method: 'PUT', headers: { 'content-type': OCI_MANIFEST }, body };
  return isAnswer(load, await ask(load, path, put), 201);
}

function isAnswer({ ledger }: Load, answer: Answer | null, wanted: number): boolean {
  if (answer === null) return false;
  if (answer.status === wanted) return true;
  ledger.surprises.push(`expected ${wanted}, found ${answer.status} ${answer.bytes}`);
  return false;
}

/** Pulls what was pushed, newest first, and what is signed, and notes the decisions. */
async function pull(load: Load, repository: string): Promise<void> {
  const { ledger } = load;
  for (let n = 0; ; n++) {
    const image = ledger.images.findLast((one) => one.repository === repository);
    const tag = image === undefined || n % 3 === 0 ? SIGNED : image.tag;
    const path = `/v2/${repository}/manifests/${tag}`;
    const answer = await ask(load, path, { headers: { accept: OCI_MANIFEST } });
    if (answer === null) return;
    const wanted = repository === AUDITED || tag === SIGNED ? 200 : 403;
    // It may have been deleted since it was chosen.
    const isDeleted = answer.status === 404 && tag !== SIGNED;
    if (isDeleted) continue;
    if (answer.status !== wanted)
      ledger.surprises.push(`${path}: ${answer.status} ${answer.bytes}`);
    const id = answer.headers.get('bulla-decision');
    if (id === null) ledger.surprises.push(`${path}: no decision`);
    else ledger.decisions.add(id);
    // From the cache they are answered many times faster than what writes, which is to be killed.
    await sleep(PULL_EVERY_MS);
  }
}

async function makeTokens({ owner, ledger, round, answered }: Load): Promise<void> {
  for (let n = 0; ; n++) {
    const name = `r${round}-${n}`;
    const repositories = [{ repository: 'nothing', actions: ['pull'] }];
    try {
      const made = await owner.ask('POST', '/tokens', { name, repositories });
      answered();
      if (made.status >= 400) ledger.surprises.push(`token ${name}: ${made.status} ${made.text}`);
      else ledger.tokens.add(name);
    } catch {
      return;
    }
    // A few are enough: the others' writes are what this is about.
    await sleep(20);
  }
}
