/** Faults of the record of decisions. */
export const RECORD_CODES = {} as const;
