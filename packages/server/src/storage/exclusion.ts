/** Runs tasks of one key one after another, and tasks of different keys side by side. */
export interface Exclusion {
  /** Runs `task` when the tasks of `key` that came before have ended, whatever became of them. */
  run<T>(key: string, task: () => Promise<T>): Promise<T>;
  /** Resolves when no task is running or waiting. */
  idle(): Promise<void>;
}

/** A new exclusion, within this process. Keys that nobody waits for take no memory. */
export function exclusion(): Exclusion {
  const last = new Map<string, Promise<unknown>>();
  return {
    async run(key, task) {
      const before = last.get(key);
      const mine = before === undefined ? task() : before.then(task, task);
      last.set(key, mine);
      try {
        return await mine;
      } finally {
        if (last.get(key) === mine) last.delete(key);
      }
    },
    async idle() {
      while (last.size > 0) await Promise.allSettled(last.values());
    },
  };
}
