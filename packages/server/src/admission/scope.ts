import { TrustFault } from '@bulla/trust/fault/fault';
import { memberOf } from '@bulla/trust/images/members';
import {
  type ImageFields,
  inventoryObject,
  type ObjectImage,
  type ObjectInventory,
  type PodPull,
} from '@bulla/trust/images/object-images';
import { compilePattern } from '@bulla/trust/policy/pattern';
import type { AdmissionConfig } from './config.ts';
import type { Review } from './parse.ts';

/** What of a review is looked at, and why the rest is not. */
export type Scope =
  | { readonly kind: 'untouched' }
  /** The namespace is exempt, or not opted in. */
  | { readonly kind: 'exempt'; readonly exempt: readonly string[] }
  /** No reference is new against the object as it was (semantics 16). */
  | { readonly kind: 'unchanged'; readonly unchanged: readonly string[] }
  | JudgedScope;

/** An object whose images are asked about. */
export interface JudgedScope {
  readonly kind: 'judge';
  readonly images: readonly ObjectImage[];
  /** References that the configuration exempts in this namespace. */
  readonly exempt: readonly string[];
  readonly pods: readonly PodPull[];
  /** Whether it is a Pod itself, and no template that something may still complete. */
  readonly isPod: boolean;
  /** Whether the kind is not known, and has members called `image` that were not taken for images. */
  readonly unread: boolean;
}

/**
 * Decides what of a review is looked at. Throws `images.manifest-malformed`, `admission.review-malformed`,
 * `admission.too-many-images`.
 */
export type ReadScope = (review: Review) => Scope;

/** What the scope of reviews depends on. */
export type ScopeConfig = Pick<AdmissionConfig, 'namespaces' | 'exempt' | 'fields'>;

/**
 * Subresources whose objects name no images, or cannot change those of the object they belong to. Any
 * other is looked at as the object itself is: one that is not known must not be a way around.
 */
const WITHOUT_IMAGES: ReadonlySet<string> = new Set([
  'attach',
  'binding',
  'eviction',
  'exec',
  'log',
  'portforward',
  'proxy',
  'scale',
  'status',
]);

/** The API server drops every change of a Pod through this but that of its ephemeral containers. */
const EPHEMERAL = 'ephemeralcontainers';

/** Reads the namespaces and the patterns of a configuration once. Throws `policy.pattern-invalid`. */
export function createScope(
  config: ScopeConfig,
  canonicalName: (reference: string) => string | null,
): ReadScope {
  const included = config.namespaces?.map(compilePattern) ?? null;
  const exemptions = config.exempt.map(({ namespace, images }) => ({
    covers: compilePattern(namespace),
    images: images?.map(compilePattern) ?? null,
  }));

  return (review) => {
    const { operation, subResource, namespace, object } = review;
    // Semantics 16: what ends is never held up. CONNECT brings options, and no object.
    if (operation === 'DELETE' || operation === 'CONNECT') return UNTOUCHED;
    if (WITHOUT_IMAGES.has(subResource)) return UNTOUCHED;
    if (object === null) {
      const expected = `expected an object in a review of ${operation}, found none`;
      throw new TrustFault('admission.review-malformed', expected);
    }
    const found = inventoryOf(review, object, config.fields);
    const before = operation === 'UPDATE' ? referencesBefore(review, config.fields) : NONE;
    const ours = namespace === null ? [] : exemptions.filter(({ covers }) => covers(namespace));
    const isOut = namespace !== null && included?.some((covers) => covers(namespace)) === false;
    if (isOut || ours.some(({ images }) => images === null)) {
      return { kind: 'exempt', exempt: distinct(found.images) };
    }
    const changed = found.images.filter(({ reference }) => !before.has(reference ?? ''));
    // Objects that are being deleted, or scaled, are no exception from this, and need none.
    if (operation === 'UPDATE' && changed.length === 0) {
      return { kind: 'unchanged', unchanged: distinct(found.images) };
    }
    const looked = subResource === EPHEMERAL ? changed : found.images;
    requireFew(looked);
    const patterns = ours.flatMap(({ images }) => images ?? []);
    const isExempt = ({ reference }: ObjectImage): boolean => {
      const name = reference === null || patterns.length === 0 ? null : canonicalName(reference);
      return name !== null && patterns.some((covers) => covers(name));
    };
    return {
      kind: 'judge',
      images: looked.filter((image) => !isExempt(image)),
      exempt: distinct(looked.filter(isExempt)),
      pods: found.pods,
      isPod: found.known && review.kind === 'Pod',
      unread: found.unread,
    };
  };
}

/** Twice what the largest honest objects name. One of 3 MiB could name 100,000, and nobody else was answered. */
const IMAGES_MOST = 1000;

function requireFew(images: readonly ObjectImage[]): void {
  const { length } = distinct(images);
  if (length <= IMAGES_MOST) return;
  const expected = `expected at most ${IMAGES_MOST} different images in an object, found ${length}`;
  throw new TrustFault('admission.too-many-images', expected);
}

const UNTOUCHED: Scope = { kind: 'untouched' };
const NONE: ReadonlySet<string> = new Set();

function inventoryOf(
  { apiVersion, kind }: Review,
  object: unknown,
  fields: readonly ImageFields[],
): ObjectInventory {
  return inventoryObject(object, apiVersion, kind, fields);
}

/** The references of the object as it was, wherever they stood in it; nothing is missing as ''. */
function referencesBefore(review: Review, fields: readonly ImageFields[]): ReadonlySet<string> {
  const { images } = inventoryOf(review, review.oldObject, fields);
  return new Set(images.map(({ reference }) => reference ?? ''));
}

function distinct(images: readonly ObjectImage[]): readonly string[] {
  const named = images.flatMap(({ reference }) => (isNamed(reference) ? [reference] : []));
  return [...new Set(named)];
}

/** Whether a place names an image; white space alone is none. */
export function isNamed(reference: string | null): reference is string {
  return reference !== null && reference.trim() !== '';
}

/** The annotations that an object has already; null where a patch cannot add one. */
export function annotationsOf(object: unknown): 'some' | 'none' | null {
  const metadata = memberOf(object, 'metadata');
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return null;
  const annotations = memberOf(metadata, 'annotations');
  if (annotations === undefined || annotations === null) return 'none';
  return typeof annotations === 'object' && !Array.isArray(annotations) ? 'some' : null;
}
