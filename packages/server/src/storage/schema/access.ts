/** A local user. Times of all rows are ISO 8601 in UTC. */
export interface UserRow {
  readonly id: string;
  readonly name: string;
  /** The name in lower case: unique, so that no two users differ by case only. */
  readonly name_key: string;
  readonly role: string;
  /** An argon2id PHC string; null until a sign-in link was used. */
  readonly password: string | null;
  /** When the password was last set; what was issued on the one before ends with it. */
  readonly password_changed: string | null;
  readonly disabled: string | null;
  readonly created: string;
}

/** An API token. Its secret is not kept. */
export interface TokenRow {
  readonly id: string;
  readonly user_id: string;
  /** The token that made this one; it ends with it. */
  readonly parent: string | null;
  readonly name: string;
  /** SHA-256, hex. */
  readonly secret_hash: string;
  /** JSON: permissions. */
  readonly permissions: string;
  /** JSON: repository scopes. */
  readonly repositories: string;
  readonly created: string;
  readonly expires: string;
  readonly revoked: string | null;
  /** To the minute. */
  readonly last_used: string | null;
}

/** A session of a browser. */
export interface SessionRow {
  /** SHA-256 of the cookie's value, hex. */
  readonly secret_hash: string;
  readonly user_id: string;
  readonly created: string;
  readonly expires: string;
  /** To the minute. */
  readonly last_seen: string;
}

/** A one-time sign-in link. */
export interface SignInLinkRow {
  /** SHA-256, hex. */
  readonly secret_hash: string;
  readonly user_id: string;
  /** `first-owner`: its user also chooses a name. */
  readonly kind: string;
  readonly created: string;
  readonly expires: string;
  readonly used: string | null;
}

/** A change of a user, a role, a password or a token, written in the transaction that made it. */
export interface ActivityRow {
  /** Sorts by time. */
  readonly id: string;
  readonly at: string;
  readonly actor_kind: string;
  readonly actor_id: string;
  readonly actor_name: string;
  readonly action: string;
  readonly entity_kind: string;
  readonly entity_id: string;
  /** JSON, or null when there was nothing before. */
  readonly before: string | null;
  readonly after: string | null;
}

/** A counter that is raised with every change that takes rights away. */
export interface AccessEpochRow {
  readonly id: string;
  readonly value: number;
}

/** Tables of access. */
export interface AccessTables {
  readonly users: UserRow;
  readonly tokens: TokenRow;
  readonly sessions: SessionRow;
  readonly sign_in_links: SignInLinkRow;
  readonly activity: ActivityRow;
  readonly access_epochs: AccessEpochRow;
}
