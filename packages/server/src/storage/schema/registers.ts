/** A compare-and-swap cell. */
export interface RegisterRow {
  /** As `cell-key.ts` writes it: bytes whose order is that of the key. */
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly version: string;
}

/** Tables of the registers. */
export interface RegisterTables {
  readonly registers: RegisterRow;
}
