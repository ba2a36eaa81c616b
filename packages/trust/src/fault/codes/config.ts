/** Faults of the server's configuration. */
export const CONFIG_CODES = {} as const;
