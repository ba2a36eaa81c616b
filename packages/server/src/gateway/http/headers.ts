import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { type Digest, isDigest } from '@bulla/trust/oci/digest';
import type { HttpRequest } from '../../http/exchange.ts';
import type { ByteRange } from '../../storage/objects.ts';
import type { Conditions } from '../tags.ts';

/** What the Range header asks of content of a known size. */
export type RangeAsk = ByteRange | 'whole' | 'unsatisfiable';

const RANGE = /^bytes=(\d*)-(\d*)$/;
const CONTENT_RANGE = /^(\d{1,15})-(\d{1,15})$/;
const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/;

/**
 * The range that a request wants (RFC 9110 §14.2). Several ranges, other units and malformed ones
 * are ignored, as the RFC allows; a range that is empty, begins after the end or ends before it begins
 * is unsatisfiable.
 * With an If-Range that is not this content's entity tag, the whole is wanted.
 */
export function rangeOf(request: HttpRequest, size: number, etag: string): RangeAsk {
  const condition = request.header('if-range');
  const match = RANGE.exec(request.header('range') ?? '');
  if (match === null || (condition !== undefined && condition !== etag)) return 'whole';
  const [, first = '', last = ''] = match;
  if (first === '') {
    if (last === '') return 'whole';
    const length = Math.min(Number(last), size);
    return length === 0 ? 'unsatisfiable' : { from: size - length, length };
  }
  const from = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  return from >= size || end < from ? 'unsatisfiable' : { from, length: end - from + 1 };
}

/** The Content-Range of a chunk, `FIRST-LAST`, or null. Throws `gateway.upload-invalid`. */
export function chunkRange(
  request: HttpRequest,
): { readonly first: number; readonly last: number } | null {
  const text = request.header('content-range');
  if (text === undefined) return null;
  const match = CONTENT_RANGE.exec(text);
  if (match === null) {
    throw new TrustFault('gateway.upload-invalid', `expected FIRST-LAST, found ${quote(text)}`);
  }
  return { first: Number(match[1]), last: Number(match[2]) };
}

/** The Content-Type without its parameters, in lower case, or null. Throws `http.request-invalid`. */
export function mediaTypeOf(request: HttpRequest): string | null {
  const text = request.header('content-type');
  if (text === undefined) return null;
  const mediaType = text.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (!MEDIA_TYPE.test(mediaType)) {
    throw new TrustFault('http.request-invalid', `expected a media type, found ${quote(text)}`);
  }
  return mediaType;
}

/** If-Match and If-None-Match of a request, whose entity tags are digests in quotes. */
export function conditionsOf(request: HttpRequest): Conditions {
  const match = request.header('if-match');
  const noneMatch = request.header('if-none-match');
  return {
    // If-Match compares strongly (RFC 9110 §13.1.1): a weak tag matches nothing.
    ...(match === undefined ? {} : { match: entityTags(match, false) }),
    ...(noneMatch === undefined ? {} : { noneMatch: entityTags(noneMatch, true) }),
  };
}

function entityTags(text: string, weak: boolean): readonly (Digest | '*')[] {
  if (text.trim() === '*') return ['*'];
  return text.split(',').flatMap((part) => {
    const tag = weak ? part.trim().replace(/^W\//, '') : part.trim();
    const digest = tag.slice(1, -1);
    return tag === `"${digest}"` && isDigest(digest) ? [digest] : [];
  });
}

/** Whether the sender has this content already: the answer is 304 (RFC 9110 §13.1.2). */
export function isKnown(request: HttpRequest, digest: Digest): boolean {
  const { noneMatch = [] } = conditionsOf(request);
  return noneMatch.some((tag) => tag === '*' || tag === digest);
}

/** The entity tag of content: its digest, in quotes. */
export function entityTag(digest: Digest): string {
  return `"${digest}"`;
}

/** A page size, or undefined. Throws `gateway.page-invalid`. */
export function pageSize(query: URLSearchParams): number | undefined {
  const text = query.get('n');
  if (text === null) return undefined;
  if (!/^\d{1,9}$/.test(text)) {
    throw new TrustFault('gateway.page-invalid', `expected a whole number n, found ${quote(text)}`);
  }
  return Number(text);
}

/** A Link to the next page (RFC 8288): `path` with the members that are not undefined as its query. */
export function nextLink(
  path: string,
  query: Readonly<Record<string, string | undefined>>,
): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) params.set(name, value);
  }
  return `<${path}?${params.toString()}>; rel="next"`;
}
