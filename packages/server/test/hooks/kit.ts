import { hooksDoor } from '../../src/hooks/routes.ts';
import type { Sender } from '../../src/hooks/sender.ts';
import { createHooks } from '../../src/hooks/service.ts';
import { HTTP_LIMITS } from '../../src/http/limits.ts';
import { createLog } from '../../src/http/log.ts';
import { listen } from '../../src/http/server.ts';
import { startRegistry } from '../../src/registry.ts';
import { ask, pushImage } from '../gateway/client.ts';
import { startFront } from '../reach/front.ts';
import { openReach, type ReachShape, signAt } from '../reach/kit.ts';

export const TOKEN = 'a-token-that-is-long-enough';

/**
 * The hooks' door over real decisions, and a registry with a signed and an unsigned image; `sending` is
 * another registry that tells of its pushes.
 */
export async function openHooks(
  shape: ReachShape = {},
  namespaces: readonly string[] = [],
  sending: { readonly host: string } | null = null,
) {
  await using opened = new AsyncDisposableStack();
  const registry = opened.use(await startRegistry({ storage: 'memory' }));
  const front = opened.use(await startFront(registry.host));
  const digest = await pushImage(registry.url, 'team/app', 'v1', { layers: ['signed'] });
  await signAt(`${registry.host}/team/app:v1`, ['sigstore-bundle']);
  const raw = await pushImage(registry.url, 'team/app', 'raw', { layers: ['raw'] });
  const kit = opened.use(
    await openReach({ connections: { [front.host]: {} }, tagFreshMs: 60_000, ...shape }),
  );
  const counts = new Map<string, number>();
  const senders: readonly Sender[] = (['distribution', 'harbor', 'zot'] as const).map((kind) => ({
    kind,
    registry: (sending ?? front).host,
    token: TOKEN,
  }));
  const failures: unknown[] = [];
  const hooks = opened.use(
    createHooks({
      senders,
      namespaces,
      reach: kit.reach,
      pushed: (repository) => kit.decisions.pushed(repository),
      count(kind, outcome) {
        const key = `${kind} ${outcome}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      },
      failed: (error) => void failures.push(error),
    }),
  );
  const server = await listen([hooksDoor(hooks, createLog('silent'))], {}, HTTP_LIMITS);
  opened.defer(() => server.close());
  const url = server.addresses[0]?.url ?? '';
  const life = opened.move();
  return {
    ...kit,
    registry,
    front,
    digest,
    raw,
    hooks,
    counts,
    failures,
    image: `${front.host}/team/app`,
    /** Sends an event as JSON, or a text as it is. */
    send(kind: string, body: object | string, headers: Readonly<Record<string, string>> = {}) {
      return ask(url, {
        method: 'POST',
        path: `/hooks/${kind}`,
        body: typeof body === 'string' ? body : JSON.stringify(body),
        headers: { authorization: `Bearer ${TOKEN}`, ...headers },
      });
    },
    request: (method: string, path: string) =>
      ask(url, { method, path, headers: { authorization: TOKEN } }),
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  };
}
