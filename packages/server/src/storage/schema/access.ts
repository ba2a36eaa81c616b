/** A local user. Times are ISO 8601 in UTC. */
export interface UserRow {
  readonly id: string;
  readonly name: string;
}

/** Tables of access. */
export interface AccessTables {
  readonly users: UserRow;
}
