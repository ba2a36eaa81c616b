import { quote, TrustFault } from '../../fault/fault.ts';
import type { RawAnswer } from './exchange.ts';

const MAX_PAGES = 500;

/**
 * The address of the next page out of a Link header (RFC 8288, distribution-spec "Listing Tags"), or
 * undefined on the last. Throws `registry.malformed-answer` when it leads to another origin or to
 * the page itself, `registry.limit` after 500 pages.
 */
export function nextPage(answer: RawAnswer, page: number): URL | undefined {
  const header = answer.header('link') ?? '';
  const target = header
    .split(/,\s*(?=<)/)
    .map((link) => /^\s*<([^>]*)>\s*;(?:[^<]*;)?\s*rel="?next"?/i.exec(link)?.[1])
    .find((found) => found !== undefined);
  if (target === undefined) return undefined;
  const url = URL.parse(target, answer.url.href);
  if (url === null || url.origin !== answer.url.origin || url.href === answer.url.href) {
    throw new TrustFault(
      'registry.malformed-answer',
      `${answer.url.origin} gives ${quote(target)} as the next page`,
    );
  }
  if (page + 1 >= MAX_PAGES) {
    throw new TrustFault('registry.limit', `${answer.url.origin}: more than ${MAX_PAGES} pages`);
  }
  return url;
}
