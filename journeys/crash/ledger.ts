/** An image whose push was answered. */
export interface AckedImage {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
  /** Digests of config and layers. */
  readonly blobs: readonly string[];
}

/** The digests that a tag which moves was last told to lead to, and last asked to. */
export interface MovedTag {
  readonly acked: string | null;
  readonly asked: string;
}

/**
 * What the server has said that it did: all of it must be there after a kill. What was asked for and
 * not answered may be there or not, but never half.
 */
export interface Ledger {
  readonly images: AckedImage[];
  /** By the path of an upload that nobody has finished: how many bytes of it were answered. */
  readonly uploads: Map<string, number>;
  /** By a tag that is pushed again and again: the digests that were answered and the last one asked for. */
  readonly moved: Map<string, MovedTag>;
  /** `repository@digest` of manifests that were deleted, or that may have been. */
  readonly deleted: Map<string, 'acked' | 'asked'>;
  /** Ids of decisions that clients were told. */
  readonly decisions: Set<string>;
  /** Names of tokens whose secret was shown. */
  readonly tokens: Set<string>;
  /** Answers that nobody expected; an error of the server is no kill. */
  readonly surprises: string[];
}

export function emptyLedger(): Ledger {
  return {
    images: [],
    uploads: new Map(),
    moved: new Map(),
    deleted: new Map(),
    decisions: new Set(),
    tokens: new Set(),
    surprises: [],
  };
}
