/** Work that waits for its turn. */
export interface Queue<T> extends AsyncDisposable {
  /** Adds work; what waits already under the same key is replaced, and keeps its turn. */
  add(key: string, item: T): void;
  /** Resolves when nothing waits and nothing goes on. */
  idle(): Promise<void>;
}

/** How a queue works. */
export interface QueueOptions<T> {
  /** Most that wait; the oldest makes room for one more. */
  readonly most: number;
  readonly atOnce: number;
  /** Work of one lane is done one after the other. */
  laneOf(item: T): string;
  /** Does the work; what it throws is told to `failed`. */
  run(item: T): Promise<void>;
  failed(error: unknown, item: T): void;
  /** Told of what had to make room. */
  dropped(item: T): void;
}

/** A queue in memory: whoever adds never waits. Disposal forgets what waits, and awaits what goes on. */
export function openQueue<T>(options: QueueOptions<T>): Queue<T> {
  const waiting = new Map<string, T>();
  const running = new Map<string, Promise<void>>();
  let idlers: (() => void)[] = [];

  const next = (): readonly [string, T] | undefined => {
    for (const entry of waiting) if (!running.has(options.laneOf(entry[1]))) return entry;
    return undefined;
  };
  const work = async (item: T): Promise<void> => {
    try {
      await options.run(item);
    } catch (error) {
      options.failed(error, item);
    }
  };
  const pump = (): void => {
    while (running.size < options.atOnce) {
      const entry = next();
      if (entry === undefined) break;
      const [key, item] = entry;
      waiting.delete(key);
      const lane = options.laneOf(item);
      const done = work(item).then(() => {
        running.delete(lane);
        pump();
      });
      running.set(lane, done);
    }
    if (waiting.size > 0 || running.size > 0) return;
    const all = idlers;
    idlers = [];
    for (const wake of all) wake();
  };
  return {
    add(key, item) {
      waiting.set(key, item);
      if (waiting.size > options.most) {
        const [oldest] = waiting;
        if (oldest !== undefined) {
          waiting.delete(oldest[0]);
          options.dropped(oldest[1]);
        }
      }
      pump();
    },
    async idle() {
      if (waiting.size === 0 && running.size === 0) return;
      await new Promise<void>((resolve) => idlers.push(resolve));
    },
    async [Symbol.asyncDispose]() {
      waiting.clear();
      await Promise.all(running.values());
    },
  };
}
