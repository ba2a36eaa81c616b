/** How the provider answers. */
export interface GatekeeperConfig {
  /** What the mutators put in the place of an image: `NAME:TAG@DIGEST`, or `NAME@DIGEST`. */
  readonly pin: 'tag-and-digest' | 'digest';
  /** What is not decided by then is answered as that key's error. */
  readonly deadlineMs: number;
  /** So many keys are decided about at a time, of all requests. */
  readonly atOnce: number;
  /** So many more wait; one beyond is answered as busy. */
  readonly waiting: number;
}

/**
 * What holds where nothing else is configured. Two seconds are below the 3 s that Gatekeeper's
 * validating webhook has by default.
 */
export const GATEKEEPER_CONFIG: GatekeeperConfig = {
  pin: 'tag-and-digest',
  deadlineMs: 2000,
  atOnce: 64,
  waiting: 4096,
};
