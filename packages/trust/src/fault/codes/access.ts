/** Faults of users, tokens, sessions and permissions. */
export const ACCESS_CODES = {
  'access.unauthenticated': {
    status: 401,
    exit: 3,
    means: 'The request needs credentials, and has none that are valid.',
    remedy:
      'Sign in, or use a token that holds: in BULLA_TOKEN for commands, by `bulla login` or `docker login` for images.',
  },
  'access.denied': {
    status: 403,
    exit: 3,
    means: 'The account or token does not have the right that the request needs.',
    remedy: 'Ask an admin for the right, or use a token that has it.',
  },
  'access.credentials-invalid': {
    status: 401,
    exit: 3,
    means:
      'A name and password, a token or a session is wrong, expired or revoked, or its user disabled.',
    remedy:
      'Check the name and the password. For a program, make a new token in the console or with `bulla token create`.',
  },
  'access.too-many-attempts': {
    status: 429,
    exit: 3,
    means: 'Too many sign-ins of this user or from this address have failed.',
    remedy: 'Wait a quarter of an hour, or ask an admin for a sign-in link.',
  },
  'access.busy': {
    status: 503,
    exit: 3,
    means: 'More passwords are waiting to be checked than the server takes at once.',
    remedy: 'Try again in a few seconds.',
  },
  'access.link-invalid': {
    status: 403,
    exit: 1,
    means: 'A sign-in link is unknown, expired, or was used before.',
    remedy: 'Ask an admin for a new link.',
  },
  'access.password-invalid': {
    status: 400,
    exit: 2,
    means: 'A new password is too short, too long, too simple, or made of the name of its user.',
    remedy: 'Choose a password of at least 12 characters, such as several words.',
  },
  'access.name-invalid': {
    status: 400,
    exit: 2,
    means: 'The name of a user or a token has characters that names do not have, or is too long.',
    remedy: 'Use 1 to 64 letters, digits and . _ - @ +, beginning with a letter or a digit.',
  },
  'access.name-taken': {
    status: 409,
    exit: 2,
    means: 'Another user has this name, perhaps in other upper and lower case.',
    remedy: 'Choose another name.',
  },
  'access.user-unknown': {
    status: 404,
    exit: 1,
    means: 'There is no such user.',
    remedy: 'See `bulla user list` for the names.',
  },
  'access.token-unknown': {
    status: 404,
    exit: 1,
    means: 'There is no such token among those that the caller may see.',
    remedy: 'See `bulla token list` for the tokens.',
  },
  'access.token-invalid': {
    status: 400,
    exit: 2,
    means: 'A token was asked for with scopes or an expiry that no token can have.',
    remedy: 'Correct what the message names.',
  },
  'access.exceeds-rights': {
    status: 403,
    exit: 1,
    means: 'The caller would give away, or act on, more rights than the caller or the user has.',
    remedy: 'Ask for less, or let somebody do it who has these rights.',
  },
  'access.last-owner': {
    status: 409,
    exit: 1,
    means: 'The only owner who can sign in cannot be disabled or given another role.',
    remedy: 'Make another user an owner first, and let them set their password.',
  },
  'access.scope-malformed': {
    status: 400,
    exit: 2,
    means: 'The scope of a registry token does not follow the grammar of the specification.',
    remedy: 'Ask for TYPE:NAME:ACTION,…, as in repository:app:pull,push.',
  },
  'access.token-request-invalid': {
    status: 400,
    exit: 2,
    means: 'A request for a registry token is not one that the specification describes.',
    remedy: 'Send it as GET with a query or as POST with a form, for the service of the challenge.',
  },
  'access.grant-unsupported': {
    status: 400,
    exit: 2,
    means: 'A registry token was asked for with a grant that this server does not take.',
    remedy: 'Use the password grant, or an API token as refresh_token.',
  },
  'access.foreign-origin': {
    status: 403,
    exit: 1,
    means: 'A page of another origin sent a request with the cookie of this one.',
    remedy: "Use the server's own console, or an API token.",
  },
} as const;
