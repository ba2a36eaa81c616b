import { TrustFault } from '@bulla/trust/fault/fault';
import { checkName } from '../name.ts';

/** What the two contracts of one memory room share: its end, and how much it may hold. */
export interface Room {
  /** Throws `storage.closed` after the end, and `storage.name-invalid` for a bad name. */
  enter(name?: string): void;
  /** Takes (or, negative, gives back) bytes. Throws `storage.full`. */
  reserve(bytes: number): void;
  close(): void;
}

/** A room that holds at most `maxBytes`. */
export function memoryRoom(maxBytes: number): Room {
  let held = 0;
  let closed = false;
  return {
    enter(name) {
      if (closed) throw new TrustFault('storage.closed', 'the store was closed');
      if (name !== undefined) checkName(name);
    },
    reserve(bytes) {
      if (bytes > 0 && held + bytes > maxBytes) {
        throw new TrustFault('storage.full', `the store holds at most ${maxBytes} bytes`);
      }
      held += bytes;
    },
    close() {
      closed = true;
    },
  };
}
