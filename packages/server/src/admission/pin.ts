import { escapeStep, writePointer } from '@bulla/trust/images/field-path';
import { memberOf } from '@bulla/trust/images/members';
import type { ObjectImage } from '@bulla/trust/images/object-images';
import type { Reached } from '../reach/question.ts';
import type { PinMode } from './config.ts';
import type { ImagesByReference } from './judge.ts';
import type { Answers } from './question.ts';
import { annotationsOf } from './scope.ts';

/** One operation of a JSON Patch (RFC 6902), of the two kinds that are needed here. */
export interface PatchOperation {
  readonly op: 'add' | 'replace';
  readonly path: string;
  readonly value: string | Readonly<Record<string, string>>;
}

/**
 * The patch that writes digests behind tags, for images that were admitted; empty where nothing is to
 * be done, and so the second time. An annotation for each says what the author wrote, for people:
 * nothing ever reads it back (semantics 16).
 */
export function pinImages(
  images: ImagesByReference,
  answers: Answers,
  object: unknown,
  mode: PinMode,
): readonly PatchOperation[] {
  const operations: PatchOperation[] = [];
  const originals = new Map<string, string>();
  for (const [reference, places] of images) {
    const answer = reference === null ? undefined : answers.byReference.get(reference);
    if (reference === null || answer === undefined || 'fault' in answer) continue;
    const value = pinnedReference(reference, answer.reached, mode);
    if (value === null) continue;
    for (const place of places) {
      operations.push({ op: 'replace', path: writePointer(place.path), value });
      originals.set(annotationOf(place), reference);
    }
  }
  return [...operations, ...annotating(object, originals)];
}

/** Null where the reference stays as it is: by digest, refused, left by the policy, or without a digest. */
function pinnedReference(reference: string, reached: Reached, mode: PinMode): string | null {
  const { decision, pinned, byDigest, tags } = reached;
  if (mode === 'none' || byDigest || pinned === null) return null;
  if (decision.outcome !== 'admit' || tags === 'leave') return null;
  return mode === 'digest' ? `${nameOf(reference)}@${pinned.digest}` : pinned.tagAndDigest;
}

/** A reference without its tag; the colon of a port has a slash behind it. */
function nameOf(reference: string): string {
  const colon = reference.lastIndexOf(':');
  return colon > reference.lastIndexOf('/') ? reference.slice(0, colon) : reference;
}

/** What all annotations of an object may have together (apimachinery: TotalAnnotationSizeLimitB). */
const ALL_MOST_BYTES = 256 << 10;
const OURS_MOST_BYTES = 32 << 10;
const NAME_MOST = 63;

/** Many images must not fill up an object's annotations, nor what is nearly full be refused for ours. */
function annotating(
  object: unknown,
  originals: ReadonlyMap<string, string>,
): readonly PatchOperation[] {
  const has = annotationsOf(object);
  if (originals.size === 0 || has === null) return [];
  const kept: [string, string][] = [];
  let left = Math.min(OURS_MOST_BYTES, ALL_MOST_BYTES - annotationBytes(object));
  for (const [key, reference] of originals) {
    left -= key.length + Buffer.byteLength(reference);
    if (left < 0) break;
    kept.push([key, reference]);
  }
  if (kept.length === 0) return [];
  if (has === 'none') {
    return [{ op: 'add', path: '/metadata/annotations', value: Object.fromEntries(kept) }];
  }
  return kept.map(([key, value]) => ({
    op: 'add',
    path: `/metadata/annotations/${escapeStep(key)}`,
    value,
  }));
}

function annotationBytes(object: unknown): number {
  const annotations = memberOf(memberOf(object, 'metadata'), 'annotations');
  if (typeof annotations !== 'object' || annotations === null) return 0;
  return Object.entries(annotations).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(String(value)),
    0,
  );
}

/**
 * A qualified name (63 characters behind the slash). Each place has one of its own, so that what a
 * second round adds takes nothing away.
 */
function annotationOf({ place, name, path }: ObjectImage): string {
  const isLabel = name !== null && /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(name);
  if (isLabel)
    return `${place === 'volume' ? 'original-volume' : 'original-image'}.bulla.dev/${name}`;
  const text = path
    .join('.')
    .replace(/[^A-Za-z0-9.]/g, '-')
    .slice(-NAME_MOST);
  return `original-field.bulla.dev/${text.replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '')}`;
}
