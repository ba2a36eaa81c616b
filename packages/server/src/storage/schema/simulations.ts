/** A simulation or an impact that somebody asked for. Times are ISO 8601 in UTC. */
export interface SimulationRow {
  /** A ULID: newer ones are greater. */
  readonly id: string;
  readonly kind: string;
  readonly at: string;
  readonly by_id: string;
  readonly by_name: string;
  /** What was asked, in a few words. */
  readonly asked: string;
  /** Totals, as JSON. */
  readonly totals: string;
  /** The whole result, as JSON. */
  readonly result: string;
}

/** Tables of simulations. */
export interface SimulationTables {
  readonly simulations: SimulationRow;
}
