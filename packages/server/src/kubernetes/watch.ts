import { setTimeout as sleep } from 'node:timers/promises';
import { asFault, type TrustFault } from '@bulla/trust/fault/fault';
import type { ClusterObject, KubernetesApi } from './api.ts';

/** What is watched, and who hears of it. */
export interface WatchOptions {
  readonly api: Pick<KubernetesApi, 'list' | 'watch'>;
  /** `/apis/bulla.dev/v1/trustpolicies`. */
  readonly path: string;
  readonly nowMs: () => number;
  /** Is told of each failure; the watch goes on by itself. */
  readonly failed: (fault: TrustFault) => void;
  /** The first pause after a failure, doubled up to 30 s. Default 1 s. */
  readonly pauseMs?: number;
}

/** A collection as the cluster has it, kept until disposal. */
export interface WatchedCollection extends AsyncDisposable {
  /** Resolves when the first list came, or could not be had; never rejects. */
  readonly tried: Promise<void>;
  /** By name; null until the collection was listed once. What is known stays when the watch is lost. */
  objects(): ReadonlyMap<string, ClusterObject> | null;
  /** Grows with each change of `objects`. */
  version(): number;
  /** When it was last known that nothing was missed; null before the first list. */
  syncedAtMs(): number | null;
}

const PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Lists a collection and then watches it, for good. A watch that ends is asked for again from where it
 * was; one that expired (410) or failed begins with a new list, so that nothing that was deleted
 * meanwhile is kept.
 */
export function watchCollection(options: WatchOptions): WatchedCollection {
  const { api, path, nowMs, failed, pauseMs = PAUSE_MS } = options;
  const ending = new AbortController();
  const { signal } = ending;
  let objects: Map<string, ClusterObject> | null = null;
  let version = 0;
  let syncedAtMs: number | null = null;
  let pause = pauseMs;
  const { promise: tried, resolve: triedOnce } = Promise.withResolvers<void>();

  const rest = (ms: number) => sleep(ms, undefined, { signal }).catch(() => undefined);

  async function follow(from: string): Promise<void> {
    let at = from;
    while (!signal.aborted) {
      const beganMs = nowMs();
      for await (const event of api.watch(path, at, signal)) {
        if (event.type === 'expired') return;
        if (event.type === 'bookmark') at = event.resourceVersion;
        else {
          at = event.object.resourceVersion;
          const { name } = event.object;
          if (event.type === 'deleted') objects?.delete(name);
          else objects?.set(name, event.object);
          version += 1;
        }
        syncedAtMs = nowMs();
        pause = pauseMs;
      }
      // A server that ends each watch at once must not be asked without end.
      if (nowMs() - beganMs < pauseMs) await rest(pauseMs);
    }
  }
  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        const listed = await api.list(path, signal);
        objects = new Map(listed.objects.map((object) => [object.name, object]));
        version += 1;
        syncedAtMs = nowMs();
        triedOnce();
        await follow(listed.resourceVersion);
        await rest(pauseMs);
      } catch (error) {
        triedOnce();
        if (signal.aborted) return;
        failed(asFault(error));
        await rest(pause);
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      }
    }
  }
  const running = run();
  return {
    tried,
    objects: () => objects,
    version: () => version,
    syncedAtMs: () => syncedAtMs,
    async [Symbol.asyncDispose]() {
      ending.abort();
      await running;
    },
  };
}
