/** How users, tokens and sessions behave. Times are in milliseconds. */
export interface AccessConfig {
  /**
   * Whether images are pulled without credentials: always, never, or by callers on this machine
   * who reach a loopback listener under a loopback name.
   */
  readonly anonymousPull: boolean | 'loopback';
  /** `https://registry.example`, behind a proxy; null: what the request's Host says. */
  readonly origin: string | null;
  /** The audience of registry tokens: the `service` of the challenge (semantics 20). */
  readonly service: string;
  /** The longest life of an API token, and the one it has when nobody says. */
  readonly tokenMostMs: number;
  readonly tokenMs: number;
  /** The longest life of a token with scope `sign`; never over 24 h (semantics 15). */
  readonly signTokenMostMs: number;
  /** The life of the push token of the first start. */
  readonly firstTokenMs: number;
  readonly linkMs: number;
  readonly sessionMs: number;
  readonly sessionIdleMs: number;
  readonly registryTokenMs: number;
  /** How long one key signs registry tokens. */
  readonly registryKeyMs: number;
  /** Within this time, so many sign-ins may fail: of one user from one address, from one address, of one user. */
  readonly attemptsMs: number;
  readonly attemptsPerPair: number;
  readonly attemptsPerAddress: number;
  readonly attemptsPerUser: number;
  /** Passwords hashed at once (19 MiB each), and waiting for it. */
  readonly passwordsAtOnce: number;
  readonly passwordsWaiting: number;
  /** Credentials whose rights are remembered while no right of anybody shrinks. */
  readonly cacheEntries: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** What holds where nothing else is configured. */
export const ACCESS_CONFIG: AccessConfig = {
  anonymousPull: 'loopback',
  origin: null,
  service: 'bulla-registry',
  tokenMostMs: 366 * DAY,
  tokenMs: 90 * DAY,
  signTokenMostMs: DAY,
  firstTokenMs: 30 * DAY,
  linkMs: DAY,
  sessionMs: 12 * HOUR,
  sessionIdleMs: 2 * HOUR,
  registryTokenMs: 5 * MINUTE,
  registryKeyMs: DAY,
  attemptsMs: 15 * MINUTE,
  attemptsPerPair: 5,
  attemptsPerAddress: 30,
  attemptsPerUser: 100,
  passwordsAtOnce: 2,
  passwordsWaiting: 64,
  cacheEntries: 20_000,
};
