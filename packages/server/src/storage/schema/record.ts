/** One decision of the record. */
export interface DecisionRow {
  readonly seq: number;
  readonly id: string;
}

/** Tables of the record. */
export interface RecordTables {
  readonly decisions: DecisionRow;
}
