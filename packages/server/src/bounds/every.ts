/** How often something is done. */
export interface Pace {
  readonly everyMs: number;
  /** Whether the first turn comes at once; by default it comes after `everyMs`, as the others do. */
  readonly atOnce?: boolean;
}

/**
 * Does `work` at this pace until it is disposed, which waits for the turn under way. A turn that is
 * due while the one before goes on is left out: none ever overlap. `failed` is told what a turn threw.
 * It does not keep the process alive.
 */
export function every(
  { everyMs, atOnce = false }: Pace,
  work: () => Promise<unknown>,
  failed: (error: unknown) => void,
): AsyncDisposable {
  let underWay: Promise<void> | null = null;
  const turn = async (): Promise<void> => {
    try {
      await work();
    } catch (error) {
      failed(error);
    } finally {
      underWay = null;
    }
  };
  const begin = () => {
    underWay ??= turn();
  };
  if (atOnce) begin();
  const timer = setInterval(begin, everyMs);
  timer.unref();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await underWay;
    },
  };
}
