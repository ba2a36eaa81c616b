/** A one-time link as its address carries it. */
export interface SignInLink {
  readonly token: string;
  /** Whom it is for, where the address says so. */
  readonly user: string | null;
  /** Whether it is for the first owner, who also chooses a name. */
  readonly first: boolean;
}

/**
 * The link behind the `#` of the address: `#token=…`, with `&user=NAME` or, for the first owner,
 * `&first`. That part of an address is sent to no server. Null when there is none.
 */
export function readLink(hash: string): SignInLink | null {
  const parts = new URLSearchParams(hash.replace(/^#/, ''));
  const token = parts.get('token') ?? '';
  const user = parts.get('user') ?? '';
  if (token === '') return null;
  return { token, user: user === '' ? null : user, first: parts.has('first') };
}

/** The address of a user's link, for them alone. */
export function linkAddress(origin: string, token: string, user: string): string {
  return `${origin}/sign-in#${new URLSearchParams({ token, user })}`;
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
