/**
 * The token of a one-time link, which stands behind the `#` of the address: that part is sent to no
 * server. Null when there is none.
 */
export function linkTokenOf(hash: string): string | null {
  const token = new URLSearchParams(hash.replace(/^#/, '')).get('token') ?? '';
  return token === '' ? null : token;
}

/** Where to go after the sign-in: a path of this very origin, else the overview. */
export function pathAfter(to: string | undefined): string {
  // `//host` and `/\host` lead to other hosts.
  return to !== undefined && /^\/(?![/\\])/.test(to) && !to.startsWith('/sign-in') ? to : '/';
}

/** What a new password lacks, or null. The server's own rules come on top. */
export function passwordLack(password: string, repeated: string): string | null {
  if (password.length < 12) return 'Choose a password of at least 12 characters.';
  return password === repeated ? null : 'The two passwords differ.';
}
