/** Runs a task when it is its turn, in the order in which they came, and answers what it answers. */
export type Turns = <T>(task: () => Promise<T>) => Promise<T>;

/** How many tasks may go on, and wait, at a time. */
export interface TurnLimits {
  readonly atOnce: number;
  /** Most that wait, and what is thrown to one more; absent: as many as come. */
  readonly waiting?: { readonly most: number; readonly tooMany: () => Error };
}

/** Lets so many tasks go on at a time. What one throws does not concern the others. */
export function openTurns({ atOnce, waiting }: TurnLimits): Turns {
  let running = 0;
  const queue: (() => void)[] = [];
  return async (task) => {
    if (running < atOnce) {
      running += 1;
    } else {
      if (waiting !== undefined && queue.length >= waiting.most) throw waiting.tooMany();
      // Whoever ends hands its place on, so `running` stays as it is.
      await new Promise<void>((resolve) => queue.push(resolve));
    }
    try {
      return await task();
    } finally {
      const next = queue.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
