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

const CONTAINERS = ['initContainers', 'containers', 'ephemeralContainers'] as const;

const NO_IMAGES: NamedImages = { images: [], notes: [] };

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
  if (kind.endsWith('List') && items !== undefined) {
    const found = itemsOf(items, `${file}: items`).map((item) =>
      // The members of a typed list may leave their kind out.
      objectImages({ kind: kind.slice(0, -'List'.length), ...asObject(item) }, file),
    );
    return {
      images: found.flatMap(({ images }) => images),
      notes: found.flatMap(({ notes }) => notes),
    };
  }
  const name =
    valueAt(object, ['metadata', 'name']) ?? valueAt(object, ['metadata', 'generateName']);
  const label = printable(typeof name === 'string' ? `${kind} ${name}` : kind);
  const path = Object.hasOwn(POD_SPECS, kind) ? POD_SPECS[kind] : undefined;
  if (path === undefined) return unknownKind(object, label, file);
  return { images: podImages(valueAt(object, path), `${label}: ${path.join('.')}`), notes: [] };
}

function asObject(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}

/** Most kinds hold no images; one that seems to is named, for nobody judged it. */
function unknownKind(object: unknown, label: string, file: string): NamedImages {
  return mentionsImage(object)
    ? { images: [], notes: [`${file}: ${label} may name images, and its kind is not known`] }
    : NO_IMAGES;
}

function mentionsImage(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(mentionsImage);
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(
    ([key, inner]) => (key === 'image' && typeof inner === 'string') || mentionsImage(inner),
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
