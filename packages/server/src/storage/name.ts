import { quote, TrustFault } from '@bulla/trust/fault/fault';

/** The longest name of an object, a cell or a staged write, in UTF-16 units. */
export const NAME_LONGEST = 1024;

/** Which part of a listing is wanted: at most `limit` names, those after `after` in order. */
export interface Page {
  readonly after?: string;
  readonly limit?: number;
}

/**
 * Throws `storage.name-invalid` unless `name` is one or more non-empty segments joined by `/`, of
 * at most `NAME_LONGEST` units in all, and well-formed Unicode. Segments may hold anything else:
 * a room encodes them, so a name never becomes a path by itself.
 */
export function checkName(name: string): void {
  if (name.length === 0 || name.length > NAME_LONGEST || !name.isWellFormed()) {
    throw new TrustFault(
      'storage.name-invalid',
      `expected a name of 1 to ${NAME_LONGEST} characters, found ${quote(name)}`,
    );
  }
  if (name.startsWith('/') || name.endsWith('/') || name.includes('//')) {
    throw new TrustFault('storage.name-invalid', `${quote(name)} has an empty segment`);
  }
}

/** Throws `storage.name-invalid` unless `prefix` is empty, or a name followed by `/`. */
export function checkPrefix(prefix: string): void {
  if (prefix === '') return;
  if (!prefix.endsWith('/')) {
    throw new TrustFault('storage.name-invalid', `prefix ${quote(prefix)} does not end in "/"`);
  }
  checkName(prefix.slice(0, -1));
}

/** The names below `prefix` that `page` asks for, in the order of UTF-16 code units. */
export function pageOf(names: Iterable<string>, prefix: string, page: Page): readonly string[] {
  const { after, limit } = page;
  const wanted: string[] = [];
  for (const name of names) {
    if (name.startsWith(prefix) && (after === undefined || name > after)) wanted.push(name);
  }
  wanted.sort();
  return limit === undefined ? wanted : wanted.slice(0, limit);
}
