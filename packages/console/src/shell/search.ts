/** What stands behind the `?` of an address, as plain text values. */
export type Search = Readonly<Record<string, string>>;

/** Reads `?a=b&c=d`; of several values of one name the last counts. */
export function parseSearch(text: string): Search {
  return Object.fromEntries(new URLSearchParams(text));
}

/** Writes what `parseSearch` reads; empty and undefined values are left out, the order is kept. */
export function stringifySearch(search: Readonly<Record<string, unknown>>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (typeof value === 'string' && value !== '') params.set(name, value);
  }
  // Colons and slashes may stand in a query as they are (RFC 3986 §3.4), and addresses are read.
  const text = params.toString().replaceAll('%3A', ':').replaceAll('%2F', '/');
  return text === '' ? '' : `?${text}`;
}
