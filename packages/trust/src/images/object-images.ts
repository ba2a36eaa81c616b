import { quote, TrustFault } from '../fault/fault.ts';
import { type FieldStep, findFields, type ObjectPath, writePath } from './field-path.ts';
import { itemsOf, memberOf, valueAt } from './members.ts';

/** What an image is for: which list of a Pod names it, or a field that the configuration names. */
export type ImagePlace = 'container' | 'init' | 'ephemeral' | 'volume' | 'field';

/** One place of a Kubernetes object in which an image stands. */
export interface ObjectImage {
  /** As it is written; null where the place is there and names none. */
  readonly reference: string | null;
  /** Sidecars are `init`. */
  readonly place: ImagePlace;
  /** Of the container or the volume. */
  readonly name: string | null;
  /** Where the reference stands, or would stand. */
  readonly path: ObjectPath;
}

/** What a Pod pulls its images with. */
export interface PodPull {
  /** Names of `imagePullSecrets`. */
  readonly pullSecrets: readonly string[];
  /** Null: the namespace's own `default`. */
  readonly serviceAccount: string | null;
}

/** Where the objects of one kind of a cluster's own keep images. */
export interface ImageFields {
  /** Without the version: `argoproj.io`. */
  readonly group: string;
  readonly kind: string;
  /** Where Pod templates lie, each with a `spec`: `spec.template`. */
  readonly podTemplates: readonly (readonly FieldStep[])[];
  /** Where references stand: `spec.steps[*].image`. */
  readonly images: readonly (readonly FieldStep[])[];
}

/** Everything in an object that an image could stand in. */
export interface ObjectInventory {
  readonly images: readonly ObjectImage[];
  /** One for each Pod that the object is or describes. */
  readonly pods: readonly PodPull[];
  /** Whether the kind is Kubernetes' own or a configured one. Of others, what is written as a Pod counts. */
  readonly known: boolean;
  /** Whether an object of another kind has members called `image` that were not taken for images. */
  readonly unread: boolean;
}

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

/** In this order, which is the one in which a node starts them. */
const CONTAINER_LISTS: readonly (readonly [string, ImagePlace])[] = [
  ['initContainers', 'init'],
  ['containers', 'container'],
  ['ephemeralContainers', 'ephemeral'],
];

/**
 * The one inventory of an object's images, for admission and for files: init, sidecar, regular and
 * ephemeral containers, and image volumes, of all of Kubernetes' own kinds that have Pods, and what
 * `fields` says of others. Lists are not looked into. Throws `images.manifest-malformed` for a list that
 * is none and a reference that is no text.
 */
export function inventoryObject(
  object: unknown,
  apiVersion: string,
  kind: string,
  fields: readonly ImageFields[] = [],
): ObjectInventory {
  const own = ownPath(apiVersion, kind);
  if (own !== null) return ofPods([{ path: own, spec: valueAt(object, own) }], [], true, false);
  const group = groupOf(apiVersion);
  const configured = fields.filter((one) => one.group === group && one.kind === kind);
  if (configured.length > 0) return configuredInventory(object, configured);
  const pods = podsWithin(object, []);
  const found = ofPods(pods, [], false, false);
  const shown = found.images.filter(
    ({ reference, place }) => reference !== null && place !== 'volume',
  );
  return { ...found, unread: countImages(object) > shown.length };
}

/** The path of a Pod's specification in objects of Kubernetes' own kinds; null for others. */
function ownPath(apiVersion: string, kind: string): readonly string[] | null {
  if (!OWN_GROUPS.test(apiVersion) || !Object.hasOwn(POD_SPECS, kind)) return null;
  return POD_SPECS[kind] ?? null;
}

function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash === -1 ? '' : apiVersion.slice(0, slash);
}

interface FoundPod {
  readonly path: ObjectPath;
  readonly spec: unknown;
}

function configuredInventory(object: unknown, configured: readonly ImageFields[]): ObjectInventory {
  const templates = configured.flatMap(({ podTemplates }) =>
    podTemplates.flatMap((steps) => findFields(object, steps)),
  );
  const pods = templates.map(({ path, value }) => ({
    path: [...path, 'spec'],
    spec: memberOf(value, 'spec'),
  }));
  const images = configured.flatMap((one) =>
    one.images.flatMap((steps) => findFields(object, steps)),
  );
  const named = images.map(({ path, value }) => imageAt(value, 'field', null, path));
  return ofPods(pods, named, true, false);
}

function ofPods(
  pods: readonly FoundPod[],
  fields: readonly ObjectImage[],
  known: boolean,
  unread: boolean,
): ObjectInventory {
  return {
    images: [...pods.flatMap(({ path, spec }) => podImages(spec, path)), ...fields],
    pods: pods.map(({ path, spec }) => pullOf(spec, path)),
    known,
    unread,
  };
}

function podImages(spec: unknown, path: ObjectPath): readonly ObjectImage[] {
  const images: ObjectImage[] = [];
  for (const [list, place] of CONTAINER_LISTS) {
    const containers = listAt(spec, list, path);
    containers.forEach((container, index) => {
      const at = [...path, list, index, 'image'];
      images.push(imageAt(memberOf(container, 'image'), place, nameOf(container), at));
    });
  }
  const volumes = listAt(spec, 'volumes', path);
  volumes.forEach((volume, index) => {
    const source = memberOf(volume, 'image');
    if (source === undefined || source === null) return;
    const at = [...path, 'volumes', index, 'image', 'reference'];
    images.push(imageAt(memberOf(source, 'reference'), 'volume', nameOf(volume), at));
  });
  return images;
}

const NOTHING: readonly unknown[] = [];

function listAt(spec: unknown, list: string, path: ObjectPath): readonly unknown[] {
  const value = memberOf(spec, list);
  if (value === undefined || value === null) return NOTHING;
  return itemsOf(value, `${writePath(path)}.${list}`);
}

function nameOf(value: unknown): string | null {
  const name = memberOf(value, 'name');
  return typeof name === 'string' ? name : null;
}

function imageAt(
  value: unknown,
  place: ImagePlace,
  name: string | null,
  path: ObjectPath,
): ObjectImage {
  if (value === undefined || value === null) return { reference: null, place, name, path };
  if (typeof value === 'string') return { reference: value, place, name, path };
  throw new TrustFault(
    'images.manifest-malformed',
    `expected the name of an image at ${writePath(path)}, found ${quote(value)}`,
  );
}

function pullOf(spec: unknown, path: ObjectPath): PodPull {
  const secrets = listAt(spec, 'imagePullSecrets', path).map(nameOf);
  const account = memberOf(spec, 'serviceAccountName');
  return {
    pullSecrets: secrets.flatMap((name) => (name === null || name === '' ? [] : [name])),
    serviceAccount: typeof account === 'string' && account !== '' ? account : null,
  };
}

/** Of a kind that is not known, whatever is written as the containers of a Pod is taken for that. */
function podsWithin(value: unknown, path: ObjectPath): readonly FoundPod[] {
  if (typeof value !== 'object' || value === null) return [];
  const isPod = CONTAINER_LISTS.some(([list]) => isContainerList(memberOf(value, list)));
  const own = isPod ? [{ path, spec: value }] : [];
  const isList = Array.isArray(value);
  const below = Object.entries(value).flatMap(([key, inner]) =>
    isPod && POD_LISTS.has(key) ? [] : podsWithin(inner, [...path, isList ? Number(key) : key]),
  );
  return [...own, ...below];
}

const POD_LISTS: ReadonlySet<string> = new Set([
  ...CONTAINER_LISTS.map(([list]) => list),
  'volumes',
]);

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
