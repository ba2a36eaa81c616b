import type { Registers } from './registers.ts';

/** The keys below a prefix, `size` at a time, in the order of their bytes. What goes meanwhile is no obstacle. */
export async function* keyPages(
  registers: Registers,
  prefix: string,
  size: number,
): AsyncGenerator<readonly string[]> {
  let last: string | undefined;
  for (;;) {
    const page = { limit: size, ...(last === undefined ? {} : { after: last }) };
    const keys = await registers.list(prefix, page);
    yield keys;
    last = keys.at(-1);
    if (keys.length < size) return;
  }
}
