/** The exit code that a fault leads to: 1 refused, 2 wrong use, 3 inconclusive, 4 a defect of Bulla. */
export type ExitCode = 1 | 2 | 3 | 4;

/** One row of the table of codes: what the code means and what its reader can do. */
export interface CodeEntry {
  /** HTTP status with which a server answers this fault. */
  readonly status: number;
  readonly exit: ExitCode;
  /** One sentence: when this code is given. */
  readonly means: string;
  /** One act that the reader can take; never "loosen the policy". */
  readonly remedy: string;
}
