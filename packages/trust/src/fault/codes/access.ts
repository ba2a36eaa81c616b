/** Faults of users, tokens, sessions and permissions. */
export const ACCESS_CODES = {} as const;
