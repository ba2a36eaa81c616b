import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** So large it is when requests come one after another; more of it makes them no faster. */
const YOUNG_MOST_BYTES = 16 << 20;
/** What may lie beside the objects in use before V8 collects the old ones, per cent of these. */
const OLD_GROWING_PERCENT = 25;

/**
 * Keeps V8's heap near what is in use, for the whole process, until it is disposed. By itself V8
 * doubles the space for new objects up to 128 MiB under load and keeps it for long, and lets as many
 * old objects lie as are in use; a server is no slower without either. Flags at the start of Node
 * would do the same, but a linked command has no place for one.
 */
export function boundHeap(): Disposable {
  let grows = true;
  const allow = (may: boolean): void => {
    if (may === grows) return;
    grows = may;
    // Read anew by V8 whenever it thinks of growing.
    setFlagsFromString(`--semi-space-growth-factor=${may ? 2 : 1}`);
  };
  const observer = new PerformanceObserver(() => allow(youngBytes() < YOUNG_MOST_BYTES));
  observer.observe({ entryTypes: ['gc'] });
  setFlagsFromString(`--heap-growing-percent=${OLD_GROWING_PERCENT}`);
  return {
    [Symbol.dispose]() {
      observer.disconnect();
      allow(true);
      // V8's own choice.
      setFlagsFromString('--heap-growing-percent=0');
    },
  };
}

/** What V8 holds for new objects now. */
export function youngBytes(): number {
  return bytesOf('new_space');
}

/** What V8 holds for objects that outlived a few collections. */
export function oldBytes(): number {
  return bytesOf('old_space');
}

function bytesOf(space: string): number {
  return getHeapSpaceStatistics().find((one) => one.space_name === space)?.space_size ?? 0;
}
