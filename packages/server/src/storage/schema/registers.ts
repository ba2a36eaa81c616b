/** A compare-and-swap cell. */
export interface RegisterRow {
  readonly key: string;
  readonly value: Uint8Array;
  readonly version: string;
}

/** Tables of the registers. */
export interface RegisterTables {
  readonly registers: RegisterRow;
}
