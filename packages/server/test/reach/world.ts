import { reasonOf } from '@bulla/trust/finding/reason';
import { computeDigest } from '@bulla/trust/oci/digest';
import type { Decision } from '@bulla/trust/policy/decision';
import { startRegistry } from '../../src/registry.ts';
import { pushImage } from '../gateway/client.ts';
import { type Front, startFront } from './front.ts';
import { openReach, type ReachShape, signAt } from './kit.ts';

/** A digest of nothing that any registry has. */
export const NEVER = computeDigest(Buffer.from('never pushed'));

/** The code that decided. */
export function codeOf({ finding }: Decision): string | undefined {
  return reasonOf(finding).code;
}

/** A registry with a signed image `app:v1` and an unsigned `app:raw`, behind a front that is named. */
export async function openWorld(shape: (front: Front) => ReachShape = () => ({})) {
  await using opened = new AsyncDisposableStack();
  const registry = opened.use(await startRegistry({ storage: 'memory' }));
  const front = opened.use(await startFront(registry.host));
  const digest = await pushImage(registry.url, 'app', 'v1', { layers: ['signed'] });
  await signAt(`${registry.host}/app:v1`, ['sigstore-bundle']);
  const raw = await pushImage(registry.url, 'app', 'raw', { layers: ['raw'] });
  const reach = opened.use(await openReach({ connections: { [front.host]: {} }, ...shape(front) }));
  const life = opened.move();
  return {
    ...reach,
    registry,
    front,
    digest,
    raw,
    image: `${front.host}/app`,
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  };
}
