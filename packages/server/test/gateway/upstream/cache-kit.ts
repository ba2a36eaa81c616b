import type { Digest } from '@bulla/trust/oci/digest';
import { GATEWAY_CONFIG, type GatewayConfig } from '../../../src/gateway/config.ts';
import type { GatewayPorts } from '../../../src/gateway/ports.ts';
import type { Gateway } from '../../../src/gateway/service.ts';
import { type Registry, startRegistry } from '../../../src/registry.ts';
import { openMemory } from '../../../src/storage/memory/open.ts';
import type { Store } from '../../../src/storage/store.ts';
import {
  ask,
  digestOf,
  manifestOf,
  OCI_INDEX,
  OCI_MANIFEST,
  pushImage,
  putManifest,
} from '../client.ts';
import { openReplica, type Pace } from '../interleaved.ts';
import { upstreamAt } from './kit.ts';

export const DAY_MS = 24 * 3600_000;
export const KEEP_DAYS = 30;

/** An upstream, and a gateway that keeps what it pulls for 30 days, with a clock that the test moves. */
export interface World extends AsyncDisposable {
  readonly upstream: Registry;
  readonly store: Store;
  readonly gateway: Registry;
  /** What cells call the upstream's repository. */
  readonly key: string;
  readonly config: GatewayConfig;
  now(): Date;
  /** Lets days pass, with a day's upkeep at the end of each. */
  days(count: number): Promise<void>;
  advance(ms: number): void;
  /** Another replica on the same store. */
  replica(pace: Pace, store?: Store): Gateway;
}

export async function openWorld(
  more: Partial<GatewayConfig> = {},
  ports: Partial<Pick<{ ports: GatewayPorts }, 'ports'>> = {},
): Promise<World> {
  const upstream = await startRegistry({ storage: 'memory' });
  const store = openMemory();
  // Long ago for the clock of staged writes, which are not to be swept here.
  let now = Date.parse('2020-01-01T00:00:00Z');
  const clock = () => new Date(now);
  const config = {
    ...GATEWAY_CONFIG,
    upstreams: [upstreamAt(upstream.host)],
    cachedMs: KEEP_DAYS * DAY_MS,
    graceMs: 60_000,
    tagFreshnessMs: 0,
    hotMs: 0,
    ...more,
  };
  const gateway = await startRegistry({ storage: 'opened', store }, { config, clock, ...ports });
  return {
    upstream,
    store,
    gateway,
    key: `~${upstream.host.replace(':', '~')}/app`,
    config,
    now: clock,
    async days(count) {
      for (let day = 0; day < count; day++) {
        now += DAY_MS;
        await gateway.upkeep();
      }
    },
    advance(ms) {
      now += ms;
    },
    replica: (pace, other = store) => openReplica({ ...other, config, clock, ...ports }, pace),
    async [Symbol.asyncDispose]() {
      await gateway.close();
      await upstream.close();
    },
  };
}

export const up = (rest: string) => `/v2/up/app/${rest}`;

/** The status of a pull of a manifest, and of all blobs that are named. */
export async function pullAll(
  { gateway: { url } }: World,
  reference: string,
  blobs: readonly string[] = [],
): Promise<readonly number[]> {
  const statuses = [(await ask(url, { path: up(`manifests/${reference}`) })).status];
  for (const blob of blobs) {
    const answer = await ask(url, { path: up(`blobs/${digestOf(blob)}`) });
    statuses.push(answer.body.toString() === blob ? answer.status : -answer.status);
  }
  return statuses;
}

/** Pushes an index of two images to the upstream. */
export async function pushIndex(
  { upstream: { url } }: World,
  tag: string,
  layers: readonly [string, string],
): Promise<{ readonly index: Digest; readonly leaves: readonly Digest[] }> {
  const leaves: Digest[] = [];
  for (const layer of layers) leaves.push(await pushImage(url, 'app', null, { layers: [layer] }));
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: leaves.map((digest, at) => ({
      mediaType: OCI_MANIFEST,
      digest,
      size: manifestOf({ layers: [layers[at] ?? ''] }).length,
      platform: { os: 'linux', architecture: at === 0 ? 'amd64' : 'arm64' },
    })),
  });
  const answer = await putManifest(url, 'app', tag, body, { 'content-type': OCI_INDEX });
  if (answer.status !== 201) throw new Error(answer.body.toString());
  return { index: digestOf(body), leaves };
}

/** How many objects of content the store has. */
export async function contents({ store }: World): Promise<number> {
  return (await store.objects.list('content/')).length;
}
