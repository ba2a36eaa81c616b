import type { ExitCode } from '@bulla/trust/fault/code-table';

/** Everything that a command takes from the outside; made once in `main.ts`. */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly homeFolder: string;
  /** Answers go to stdout, one write a line; nothing else does. */
  readonly out: (line: string) => void;
  /** Notes, warnings and faults go to stderr. */
  readonly err: (line: string) => void;
  /** Whether the three standard streams are terminals, for colour, progress and questions. */
  readonly terminal: Terminal;
  /** The present. */
  readonly clock: () => Date;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal;
  /** Notes what a part of the work came to; the process ends with the worst. */
  readonly exit: ExitTally;
}

/** Which standard streams are terminals; asked for when it matters, because asking costs start-up. */
export interface Terminal {
  readonly in: boolean;
  readonly out: boolean;
  readonly err: boolean;
}

/** Exit codes of several parts: the first of 4, 2, 1, 3, 0 that occurred. */
export interface ExitTally {
  note(code: ExitCode | 0): void;
  worst(): ExitCode | 0;
}

const ORDER: readonly (ExitCode | 0)[] = [4, 2, 1, 3, 0];

/** A tally in which nothing has occurred yet. */
export function exitTally(): ExitTally {
  const noted = new Set<ExitCode | 0>();
  return {
    note: (code) => {
      noted.add(code);
    },
    worst: () => ORDER.find((code) => noted.has(code)) ?? 0,
  };
}
