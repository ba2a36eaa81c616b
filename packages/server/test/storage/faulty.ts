import { setTimeout as sleep } from 'node:timers/promises';

/** What becomes of the call that the plan hits. */
export type Mishap = 'fails and is lost' | 'fails but was written' | 'slow' | 'killed between';

/** Which call of the wrapped object goes wrong, and how. */
export interface Plan {
  readonly mishap: Mishap;
  /** 0 for the first call that `counts`. */
  readonly call: number;
  readonly counts: (method: string) => boolean;
  readonly error: () => Error;
}

/** Whether the plan's call came. */
export interface Watch {
  hit: boolean;
  method: string;
}

/** How many calls were counted; `over` ends the plan. */
export interface Count {
  calls: number;
  over: boolean;
}

/**
 * `target` with one of its async calls going wrong as planned: it rejects without having happened,
 * happens and rejects, happens late, or rejects together with every later call, as after a kill.
 */
export function faulty<T extends object>(
  target: T,
  plan: Plan,
  watch: Watch,
  count: Count = { calls: 0, over: false },
): T {
  return new Proxy(target, {
    get(object, name, receiver) {
      const value: unknown = Reflect.get(object, name, receiver);
      if (typeof value !== 'function') return value;
      const method = String(name);
      if (!plan.counts(method)) return value.bind(object);
      return async (...args: unknown[]) => {
        if (count.over) return value.apply(object, args);
        if (watch.hit && plan.mishap === 'killed between') throw plan.error();
        if (count.calls++ !== plan.call) return value.apply(object, args);
        watch.hit = true;
        watch.method = method;
        switch (plan.mishap) {
          case 'slow':
            await sleep(5);
            return value.apply(object, args);
          case 'fails but was written':
            await release(await value.apply(object, args));
            throw plan.error();
          default:
            throw plan.error();
        }
      };
    },
  });
}

/** Closes a file that the caller of a failed `open` never got. */
async function release(result: unknown): Promise<void> {
  if (typeof result !== 'object' || result === null || !('close' in result)) return;
  if (typeof result.close === 'function') await result.close();
}

/** Every mishap. */
export const MISHAPS: readonly Mishap[] = [
  'fails and is lost',
  'fails but was written',
  'slow',
  'killed between',
];
