/** The clocks of a server, made in one place. */
export interface Clocks {
  /** The present. */
  readonly clock: () => Date;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

/** The machine's clocks. */
export const SYSTEM_CLOCKS: Clocks = {
  clock: () => new Date(),
  now: () => performance.now(),
};
