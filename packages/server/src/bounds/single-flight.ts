/** Runs the work of one key once for all who ask for it while it is under way. */
export type SingleFlight<T> = (key: string, work: () => Promise<T>) => Promise<T>;

/** A new flight. A failure is shared as an answer is; the next call after it works anew. */
export function singleFlight<T>(): SingleFlight<T> {
  const underWay = new Map<string, Promise<T>>();
  return (key, work) => {
    const running = underWay.get(key);
    if (running !== undefined) return running;
    const started = work().finally(() => underWay.delete(key));
    underWay.set(key, started);
    return started;
  };
}
