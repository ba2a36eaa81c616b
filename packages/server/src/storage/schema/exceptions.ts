/** An exception to policies: a signed document, and what became of it. */
export interface ExceptionRow {
  /** Digest of the signed payload: `sha256:…`. */
  readonly id: string;
  readonly name: string;
  /** `exception` or `break-glass`. */
  readonly kind: string;
  /** `requested`, `approved` or `revoked`; that one has expired is told by `expires`. */
  readonly state: string;
  /** Canonical `registry/repository`, by which those in force are found. */
  readonly repository: string;
  /** Null: all images of the repository. */
  readonly digest: string | null;
  readonly expires: string;
  /** The DSSE envelope as JSON, with the signatures so far. */
  readonly envelope: string;
  /** The person who handed it in, by whom requests are counted: `user <id>`. */
  readonly requester: string;
  /** Who handed in what, as the server knew them: JSON of kind, id, name and the user behind. */
  readonly requested_by: string;
  readonly requested_at: string;
  readonly approved_by: string | null;
  readonly approved_at: string | null;
  readonly revoked_by: string | null;
  readonly revoked_at: string | null;
  readonly revoked_reason: string | null;
  /** `none`, `open` or `closed`: a use of break-glass is looked at by somebody else afterwards. */
  readonly review: string;
  readonly reviewed_by: string | null;
  readonly reviewed_at: string | null;
  readonly review_says: string | null;
}

/** Tables of exceptions. */
export interface ExceptionTables {
  readonly exceptions: ExceptionRow;
}
