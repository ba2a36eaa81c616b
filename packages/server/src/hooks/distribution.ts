import { asArray, asString, type Cursor, member, optional } from '@bulla/trust/bytes/shape';
import { type Push, type Told, tagOrNull } from './push.ts';

/** Layers are announced as well; what is pushed last of an image is its manifest. */
const MANIFEST =
  /^application\/vnd\.(?:oci\.image\.(?:manifest|index)\.v1|docker\.distribution\.manifest(?:\.list)?\.v2)\+json$/;

/**
 * Notifications of CNCF distribution, `application/vnd.docker.distribution.events.v2+json`
 * (distribution, docs/content/about/notifications.md): an envelope of events. Throws
 * `hooks.malformed` for what is no envelope; an event of another form is passed over.
 */
export function readDistribution(at: Cursor): Told {
  const events = asArray(member(at, 'events'), readEvent);
  const pushes = events.filter((push) => push !== null);
  return { pushes, ignored: events.length - pushes.length };
}

function readEvent(at: Cursor): Push | null {
  const target = member(at, 'target');
  const text = (from: Cursor, key: string) => optional(member(from, key), asString);
  const repository = text(target, 'repository');
  if (text(at, 'action') !== 'push' || repository === undefined) return null;
  if (!MANIFEST.test(text(target, 'mediaType') ?? '')) return null;
  const request = member(at, 'request');
  const host = request.value === undefined ? undefined : text(request, 'host');
  return { repository, tag: tagOrNull(text(target, 'tag')), host: host || null };
}
