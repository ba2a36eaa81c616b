import { printable } from '../fault/fault.ts';
import { itemsOf, memberOf, textOf, valueAt } from './members.ts';
import type { NamedImage, NamedImages } from './named-image.ts';

/** Where each kind keeps its Pod's specification (enforcement reference UN-1). */
const POD_SPECS: Readonly<Record<string, readonly string[]>> = {
  Pod: ['spec'],
  PodTemplate: ['template', 'spec'],
  ReplicationController: ['spec', 'template', 'spec'],
  ReplicaSet: ['spec', 'template', 'spec'],
  Deployment: ['spec', 'template', 'spec'],
  StatefulSet: ['spec', 'template', 'spec'],
  DaemonSet: ['spec', 'template', 'spec'],
  Job: ['spec', 'template', 'spec'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
};

/** Kubernetes' own groups: other ones have a `Job` as well, which keeps its Pods elsewhere. */
const OWN_GROUPS = /^(?:(?:apps|batch|extensions)\/)?v[0-9][a-z0-9]*$/;

const CONTAINERS = ['initContainers', 'containers', 'ephemeralContainers'] as const;

/**
 * The images of one Kubernetes object, or of a List of them: init, sidecar, regular and ephemeral
 * containers, and image volumes. Kinds that are not known are noted. Throws
 * `images.manifest-malformed`.
 */
export function objectImages(object: unknown, file: string): NamedImages {
  const kind = memberOf(object, 'kind');
  if (typeof kind !== 'string') {
    return { images: [], notes: [`${file}: a document without a kind was passed over`] };
  }
  const items = memberOf(object, 'items');
  const isList = kind.endsWith('List') && items !== undefined;
  // To kubectl whatever has items is a list, and what it says of itself beside them counts for nothing.
  const listed = isList || Array.isArray(items) ? itemsOf(items, `${file}: items`) : [];
  const found = listed.map((item) =>
    // The members of a typed list may leave their kind out.
    objectImages({ kind: kind.replace(/List$/, ''), ...asObject(item) }, file),
  );
  if (!isList) found.push(ownImages(object, kind, file));
  return {
    images: found.flatMap(({ images }) => images),
    notes: found.flatMap(({ notes }) => notes),
  };
}

function ownImages(object: unknown, kind: string, file: string): NamedImages {
  const name =
    valueAt(object, ['metadata', 'name']) ?? valueAt(object, ['metadata', 'generateName']);
  const label = printable(typeof name === 'string' ? `${kind} ${name}` : kind);
  const version = memberOf(object, 'apiVersion') ?? 'v1';
  const isOwn = typeof version === 'string' && OWN_GROUPS.test(version);
  const path = isOwn && Object.hasOwn(POD_SPECS, kind) ? POD_SPECS[kind] : undefined;
  if (path === undefined) return unknownKind(object, label, file);
  return { images: podImages(valueAt(object, path), `${label}: ${path.join('.')}`), notes: [] };
}

function asObject(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}

/**
 * Of a kind that is not known, whatever is written as the containers of a Pod is taken for that; what
 * else it may name is noted, for nobody judged it.
 */
function unknownKind(object: unknown, label: string, file: string): NamedImages {
  const images = podsWithin(object, label);
  const found = images.filter(({ where }) => where.endsWith('.image')).length;
  if (countImages(object) <= found) return { images, notes: [] };
  return { images, notes: [`${file}: ${label} may name images, and its kind is not known`] };
}

function podsWithin(value: unknown, where: string): readonly NamedImage[] {
  if (typeof value !== 'object' || value === null) return [];
  const isPod = CONTAINERS.some((list) => isContainerList(memberOf(value, list)));
  const own = isPod ? podImages(value, where) : [];
  const below = Object.entries(value).flatMap(([key, inner]) =>
    isPod && POD_LISTS.has(key) ? [] : podsWithin(inner, `${where}.${key}`),
  );
  return [...own, ...below];
}

const POD_LISTS: ReadonlySet<string> = new Set([...CONTAINERS, 'volumes']);

function isContainerList(value: unknown): boolean {
  return Array.isArray(value) && value.some((item) => memberOf(item, 'image') !== undefined);
}

function countImages(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return Object.entries(value).reduce(
    (sum, [key, inner]) =>
      sum + (key === 'image' && typeof inner === 'string' ? 1 : countImages(inner)),
    0,
  );
}

function podImages(spec: unknown, where: string): readonly NamedImage[] {
  const containers = CONTAINERS.flatMap((list) =>
    itemsOf(memberOf(spec, list), `${where}.${list}`).flatMap((container, index) =>
      named(memberOf(container, 'image'), `${where}.${list}[${index}].image`),
    ),
  );
  const volumes = itemsOf(memberOf(spec, 'volumes'), `${where}.volumes`).flatMap((volume, index) =>
    named(valueAt(volume, ['image', 'reference']), `${where}.volumes[${index}].image.reference`),
  );
  return [...containers, ...volumes];
}

function named(value: unknown, where: string): readonly NamedImage[] {
  const reference = textOf(value, where);
  return reference === undefined ? [] : [{ reference, where }];
}
