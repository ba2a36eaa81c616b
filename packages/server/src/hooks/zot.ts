import { asString, type Cursor, member, optional } from '@bulla/trust/bytes/shape';
import { type Told, tagOrNull } from './push.ts';

/** `zotregistry.image.updated`, or with the prefix that a registry was given. */
const UPDATED = /(?:^|\.)image\.updated$/;

/**
 * Events of zot over HTTP (project-zot/zot, pkg/extensions/events): CloudEvents 1.0 in binary mode, so
 * that `type` stands in the header `ce-type` and the body is the data, or in structured mode, whose
 * body has both. Throws `hooks.malformed`.
 */
export function readZot(at: Cursor, headerType: string | undefined): Told {
  const type = headerType ?? asString(member(at, 'type'));
  if (!UPDATED.test(type)) return { pushes: [], ignored: 1 };
  const data = headerType === undefined ? member(at, 'data') : at;
  const repository = asString(member(data, 'name'));
  const tag = tagOrNull(optional(member(data, 'reference'), asString));
  return { pushes: [{ repository, tag, host: null }], ignored: 0 };
}
