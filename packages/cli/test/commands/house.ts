import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { pushImage } from '../../../../demo/image.ts';
import { openRepository } from '../../../../journeys/artifact.ts';
import { ENV } from './run.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** The line `ready` of a server that was started with `-o json`. */
export interface Ready {
  readonly addresses: readonly string[];
  readonly registry: string;
  readonly caFile: string | null;
  readonly signIn: string | null;
  readonly pushToken: string | null;
}

/** A server in a process of its own; disposing it is SIGTERM. */
export interface House extends AsyncDisposable {
  readonly ready: Ready;
  readonly child: ChildProcess;
  /** Standard error so far. */
  said(): string;
  /** Ends it by a signal, and answers its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/**
 * Starts `bulla up` or `bulla serve` from its source and waits until it is ready. A free port that
 * somebody else takes before the server does is not the server's fault: then it starts anew.
 */
export async function startHouse(args: readonly string[]): Promise<House> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(args);
    } catch (error) {
      if (attempt === 3 || !String(error).includes('[http.listen]')) throw error;
    }
  }
}

async function startOnce(args: readonly string[]): Promise<House> {
  const started = await startPrinting([...args, '-o', 'json'], () => true);
  return { ...started, ready: JSON.parse(started.lines[0] ?? '') as Ready };
}

/** A server that printed what was waited for. */
export interface Printing extends Omit<House, 'ready'> {
  readonly lines: readonly string[];
}

/** Starts `bulla` from its source and waits for a line on standard output. */
export async function startPrinting(
  args: readonly string[],
  isLast: (line: string) => boolean,
): Promise<Printing> {
  const child = spawn(process.execPath, ['--conditions=@bulla/source', MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: ENV,
  });
  let err = '';
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const ended = once(child, 'exit');
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal);
    await ended;
    return child.exitCode;
  };
  const lines: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    if (isLast(line)) resolve();
  });
  await Promise.race([
    promise,
    ended.then(() => assert.fail(`the server ended before it was ready\n${err}`)),
  ]);
  return {
    lines,
    child,
    said: () => err,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

/** Starts `bulla up` on a data folder. */
export function startUp(data: string, more: readonly string[] = []): Promise<House> {
  return startHouse(['up', '--data', data, '--listen', 'http://127.0.0.1:0', ...more]);
}

/** The first owner signs in by the printed link, and makes a token that may all that theirs may. */
export async function ownerToken({ ready }: House): Promise<string> {
  const [origin = ''] = ready.addresses;
  const link = /#token=([^&]+)&first$/.exec(ready.signIn ?? '')?.[1];
  const base = `${origin}/api/bulla/v1`;
  const headers = { 'content-type': 'application/json', origin };
  const signedIn = await fetch(`${base}/session/link`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ link, name: 'ann', password: 'correct horse battery' }),
  });
  assert.equal(signedIn.status, 200);
  const cookie = signedIn.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const { permissions } = (await signedIn.json()) as { permissions: readonly string[] };
  const made = await fetch(`${base}/tokens`, {
    method: 'POST',
    headers: { ...headers, cookie },
    body: JSON.stringify({
      name: 'ops',
      permissions,
      repositories: [{ repository: '**', actions: ['pull', 'push', 'delete', 'sign'] }],
    }),
  });
  assert.equal(made.status, 200);
  return ((await made.json()) as { secret: string }).secret;
}

/** Pushes a small image that nobody signed, and pulls it: one decision. */
export async function pushAndPull({ ready }: House, name: string, tag: string): Promise<number> {
  await pushImage(
    await openRepository(`${ready.registry}/${name}`, ready.pushToken ?? ''),
    tag,
    tag,
  );
  const answer = await fetch(`http://${ready.registry}/v2/${name}/manifests/${tag}`, {
    headers: {
      accept: 'application/vnd.oci.image.manifest.v1+json',
      authorization: `Basic ${btoa(`token:${ready.pushToken}`)}`,
    },
  });
  await answer.arrayBuffer();
  return answer.status;
}
