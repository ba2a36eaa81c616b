import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRegistry } from '@bulla/server/registry';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference } from '@bulla/trust/oci/reference';
import type { FormatName } from '@bulla/trust/proof/evidence';
import { pushImage } from '../../demo/image.ts';
import { asking, openReach, signAt } from '../../packages/server/test/reach/kit.ts';
import type { Row } from '../pairing.ts';

/** As far away as a registry in the same region; every answer takes so long on its way. */
const AWAY_MS = 30;

const CASES: readonly {
  readonly format: FormatName;
  readonly by: 'tag' | 'digest';
  readonly most: number;
}[] = [
  { format: 'cosign-legacy', by: 'tag', most: 3 },
  { format: 'cosign-legacy', by: 'digest', most: 3 },
  { format: 'sigstore-bundle', by: 'tag', most: 4 },
  { format: 'sigstore-bundle', by: 'digest', most: 3 },
];

/** Sequential round trips of a cold decision at a registry over HTTP, its connection warm. */
export async function* reachRows(): AsyncIterable<Row> {
  await using registry = await startRegistry({ storage: 'memory' });
  await using away = await startAway(registry.host);
  await using reach = await openReach({ connections: { [away.host]: {} } });
  for (const [index, { format, by, most }] of CASES.entries()) {
    const repository = `app${index}`;
    const reference = parseReference(`${registry.host}/${repository}`);
    const target = await openStore(reference, { env: {}, homeFolder: '/dev/null' });
    const warm = await pushImage(target, 'warm', 'warm');
    await reach.ask(asking(`${away.host}/${repository}@${warm}`));
    const digest = await pushImage(target, 'v1', `image ${index}`);
    await signAt(`${registry.host}/${repository}:v1`, [format]);
    away.exchanges.length = 0;
    const began = performance.now();
    const named = by === 'tag' ? ':v1' : `@${digest}`;
    const { decision } = await reach.ask(asking(`${away.host}/${repository}${named}`));
    const tookMs = performance.now() - began;
    if (decision.outcome !== 'admit') throw new Error(`refused: ${decision.finding.says}`);
    yield {
      name: `round trips of a cold decision, ${format} by ${by}`,
      figures: `${away.exchanges.length} requests, ${tookMs.toFixed(0)} ms with ${AWAY_MS} ms an answer`,
      ratio: longestChain(away.exchanges),
      unit: '',
      goal: { at: 'most', value: most },
    };
  }
}

interface Exchange {
  readonly begunMs: number;
  endedMs: number;
}

/** The most requests of which each began after the answer to the one before. */
function longestChain(exchanges: readonly Exchange[]): number {
  const lengths: number[] = [];
  const sorted = exchanges.toSorted((a, b) => a.begunMs - b.begunMs);
  for (const [index, { begunMs }] of sorted.entries()) {
    const before = sorted.slice(0, index).map(({ endedMs }, at) => {
      return endedMs <= begunMs ? (lengths[at] ?? 0) : 0;
    });
    lengths.push(1 + Math.max(0, ...before));
  }
  return Math.max(0, ...lengths);
}

/** A registry's host as it is from far: each answer is held for a while. */
async function startAway(target: string) {
  const exchanges: Exchange[] = [];
  const agent = new Agent({ keepAlive: true });
  const server = createServer((incoming, response) => {
    const exchange: Exchange = { begunMs: performance.now(), endedMs: Number.POSITIVE_INFINITY };
    exchanges.push(exchange);
    const { host: _, ...headers } = incoming.headers;
    const method = incoming.method ?? 'GET';
    const onward = request(`http://${target}${incoming.url}`, { method, headers, agent });
    onward.on('response', (answer) => {
      void sleep(AWAY_MS).then(() => {
        exchange.endedMs = performance.now();
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
    });
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    exchanges,
    async [Symbol.asyncDispose]() {
      agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
