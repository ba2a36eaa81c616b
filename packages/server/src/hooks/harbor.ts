import { asArray, asString, type Cursor, member, optional } from '@bulla/trust/bytes/shape';
import { type Push, type Told, tagOrNull } from './push.ts';

/** What each of Harbor's two formats calls a push. */
const PUSHES = new Set(['PUSH_ARTIFACT', 'harbor.artifact.pushed']);

/**
 * Webhooks of Harbor (goharbor/harbor, src/pkg/notifier/formats): the format `Default` has its event
 * in `event_data`, the format `CloudEvents` in `data`. Both list the artifacts of one repository. Throws
 * `hooks.malformed`.
 */
export function readHarbor(at: Cursor): Told {
  if (!PUSHES.has(asString(member(at, 'type')))) return { pushes: [], ignored: 1 };
  const inDefault = member(at, 'event_data');
  const data = inDefault.value === undefined ? member(at, 'data') : inDefault;
  const repository = asString(member(member(data, 'repository'), 'repo_full_name'));
  const pushes = asArray(member(data, 'resources'), (one): Push => {
    const tag = tagOrNull(optional(member(one, 'tag'), asString));
    const url = optional(member(one, 'resource_url'), asString);
    // `harbor.example/library/app:v1`, with no scheme.
    return { repository, tag, host: url?.split('/', 1)[0] || null };
  });
  return { pushes, ignored: 0 };
}
