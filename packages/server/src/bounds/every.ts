/**
 * Does `work` every `ms` until it is disposed, which waits for the turn under way. A turn that is due
 * while the one before goes on is left out: none ever overlap. `failed` is told what a turn threw. It
 * does not keep the process alive.
 */
export function every(
  ms: number,
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
  const timer = setInterval(() => {
    underWay ??= turn();
  }, ms);
  timer.unref();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await underWay;
    },
  };
}
