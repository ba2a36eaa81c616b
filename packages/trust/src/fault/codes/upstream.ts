/** Faults and refusals of the gateway that verifies. */
export const UPSTREAM_CODES = {} as const;
