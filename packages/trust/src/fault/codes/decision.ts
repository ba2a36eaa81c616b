/** Findings of decisions by policy. */
export const DECISION_CODES = {} as const;
