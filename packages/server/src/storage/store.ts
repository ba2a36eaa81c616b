import type { Objects } from './objects.ts';
import type { Registers } from './registers.ts';

/**
 * An opened room: its contracts, and its end. Disposing waits for the writes under way; later
 * calls throw `storage.closed`. Disposing twice is as once.
 */
export interface Store extends AsyncDisposable {
  readonly objects: Objects;
  readonly registers: Registers;
}
