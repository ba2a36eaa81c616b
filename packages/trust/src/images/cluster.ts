import { parseJson } from '../bytes/json.ts';
import { asFault, printable, TrustFault } from '../fault/fault.ts';
import { isDigest } from '../oci/digest.ts';
import { itemsOf, memberOf, textOf, valueAt } from './members.ts';

/** An image that a container of a cluster was started from. */
export interface RunningImage {
  /** As the Pod names it. */
  readonly reference: string;
  /** What the node says that it runs; null where it does not say so by a digest of a manifest. */
  readonly digest: string | null;
  readonly namespace: string;
  /** `Pod shop/web-0: nginx`, for people. */
  readonly where: string;
}

/** All that runs in a cluster, as far as an inventory tells. */
export interface ClusterInventory {
  readonly images: readonly RunningImage[];
  /** What was passed over, one sentence each. */
  readonly notes: readonly string[];
}

/** Some hundred thousand Pods come to less. */
const INVENTORY_MOST_BYTES = 512 << 20;
const CODE = 'impact.inventory-malformed';

const CONTAINERS = [
  ['initContainers', 'initContainerStatuses'],
  ['containers', 'containerStatuses'],
  ['ephemeralContainers', 'ephemeralContainerStatuses'],
] as const;

/**
 * The images of the Pods in the JSON of `kubectl get pods -A -o json`, of one Pod, or of a typed list.
 * Pods that have ended run nothing. Names are the Pod's, digests are the node's (`imageID`): which name
 * the policies know it by, and what really runs. Throws `impact.inventory-malformed`.
 */
export function clusterImages(bytes: Uint8Array, file: string): ClusterInventory {
  try {
    const document = parseJson(bytes, file, { maxBytes: INVENTORY_MOST_BYTES });
    const pods = podsOf(document, file);
    const ended = pods.filter(hasEnded).length;
    const images = pods.filter((pod) => !hasEnded(pod)).flatMap(podImages);
    const notes = ended === 0 ? [] : [`${file}: ${ended} Pods have ended, and run nothing`];
    return { images, notes };
  } catch (error) {
    const fault = asFault(error);
    if (fault.code === CODE || fault.code === 'internal.defect') throw fault;
    throw new TrustFault(CODE, `${file}: ${fault.message}`, undefined, { cause: fault });
  }
}

function podsOf(document: unknown, file: string): readonly unknown[] {
  const kind = memberOf(document, 'kind');
  if (kind === 'Pod') return [document];
  const items = memberOf(document, 'items');
  if ((kind === 'List' || kind === 'PodList') && Array.isArray(items)) {
    const list: readonly unknown[] = items;
    // The members of a typed list leave their kind out.
    const other = list.find((item) => (memberOf(item, 'kind') ?? 'Pod') !== 'Pod');
    if (other === undefined) return list;
    const found = printable(String(memberOf(other, 'kind')));
    throw new TrustFault(CODE, `expected Pods in ${file}, found a ${found} among them`);
  }
  const found = printable(typeof kind === 'string' ? kind : 'no kind');
  throw new TrustFault(CODE, `expected a list of Pods in ${file}, found ${found}`);
}

function hasEnded(pod: unknown): boolean {
  const phase = valueAt(pod, ['status', 'phase']);
  return phase === 'Succeeded' || phase === 'Failed';
}

function podImages(pod: unknown): readonly RunningImage[] {
  const namespace = textAt(pod, 'namespace') ?? 'default';
  const label = `Pod ${namespace}/${textAt(pod, 'name') ?? '(no name)'}`;
  const containers = CONTAINERS.flatMap(([list, statuses]) => {
    const told = itemsOf(valueAt(pod, ['status', statuses]), `${label}: status.${statuses}`);
    const listed = itemsOf(valueAt(pod, ['spec', list]), `${label}: spec.${list}`);
    return listed.flatMap((container): readonly RunningImage[] => {
      const name = memberOf(container, 'name');
      const where = printable(`${label}: ${typeof name === 'string' ? name : list}`);
      const reference = textOf(memberOf(container, 'image'), where);
      if (reference === undefined) return [];
      const status = told.find((one) => memberOf(one, 'name') === name);
      return [{ reference, digest: digestOf(memberOf(status, 'imageID')), namespace, where }];
    });
  });
  const volumes = itemsOf(valueAt(pod, ['spec', 'volumes']), `${label}: spec.volumes`);
  const mounted = volumes.flatMap((volume): readonly RunningImage[] => {
    const where = printable(`${label}: volume ${String(memberOf(volume, 'name'))}`);
    const reference = textOf(valueAt(volume, ['image', 'reference']), where);
    return reference === undefined ? [] : [{ reference, digest: null, namespace, where }];
  });
  return [...containers, ...mounted];
}

function textAt(pod: unknown, name: string): string | null {
  const value = valueAt(pod, ['metadata', name]);
  return typeof value === 'string' && value !== '' ? value : null;
}

/** A bare `sha256:…` is the id of a configuration, not of a manifest. */
function digestOf(imageId: unknown): string | null {
  const [, digest] = typeof imageId === 'string' ? (/@([^@]+)$/.exec(imageId) ?? []) : [];
  return digest !== undefined && isDigest(digest) ? digest : null;
}
