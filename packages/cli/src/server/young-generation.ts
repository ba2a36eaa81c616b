import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** So large it is when requests come one after another; more of it makes them no faster. */
const MOST_BYTES = 16 << 20;

/**
 * Keeps V8 from growing the space for new objects much beyond 16 MiB, for the whole process, until it
 * is disposed. V8 by itself doubles it up to 128 MiB under load and keeps that for long, which is
 * more than everything else of a server. A flag at the start of Node (`--max-semi-space-size`) would
 * do the same, but a linked command has no place for one.
 */
export function boundYoungGeneration(): Disposable {
  let grows = true;
  const allow = (may: boolean): void => {
    if (may === grows) return;
    grows = may;
    // Read anew by V8 whenever it thinks of growing.
    setFlagsFromString(`--semi-space-growth-factor=${may ? 2 : 1}`);
  };
  const observer = new PerformanceObserver(() => allow(youngBytes() < MOST_BYTES));
  observer.observe({ entryTypes: ['gc'] });
  return {
    [Symbol.dispose]() {
      observer.disconnect();
      allow(true);
    },
  };
}

/** What V8 holds for new objects now. */
export function youngBytes(): number {
  return (
    getHeapSpaceStatistics().find((space) => space.space_name === 'new_space')?.space_size ?? 0
  );
}
