/** Faults of policy documents and of the files that they name. */
export const POLICY_DOCUMENT_CODES = {} as const;
