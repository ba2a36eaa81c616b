const ANY = '[\\s\\S]*';

/**
 * An expression that is found anywhere in a value, as policy-controller has it (Go, MatchString), as
 * one of the whole value, as ours are (semantics 9). `^` and `$` stay where they cannot be left out.
 */
export function wholeValue(search: string): string {
  const flag = search.startsWith('(?i)') ? '(?i)' : '';
  const body = search.slice(flag.length);
  // A choice could have an anchor of its own on each side.
  if (body.includes('|')) return `${flag}${ANY}(?:${body})${ANY}`;
  const begins = body.startsWith('^');
  const ends = /(?:^|[^\\])(?:\\\\)*\$$/.test(body);
  const core = body.slice(begins ? 1 : 0, ends ? -1 : undefined);
  return `${flag}${begins ? '' : ANY}${core}${ends ? '' : ANY}`;
}
