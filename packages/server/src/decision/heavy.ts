import { TrustFault } from '@bulla/trust/fault/fault';
import type { ArtifactSource } from '@bulla/trust/oci/store';
import type { Turns } from '../bounds/turns.ts';

/** So much evidence one decision takes without asking; honest signatures come to some KiB. */
const LIGHT_BYTES = 16 << 20;

/**
 * The largest piece of evidence that a server reads. While one is parsed nobody else is answered, and
 * a mebibyte takes some forty milliseconds.
 */
const PIECE_BYTES = 32 << 20;

/** A source whose decision waits for its turn before it takes much; disposal ends the turn. */
export interface WeighedSource extends Disposable {
  readonly source: ArtifactSource;
}

/**
 * The source of one decision. Once that takes more than 16 MiB of blobs it waits until one of `turns`
 * is its own: whoever publishes images decides how much evidence there is, and some decisions at once
 * with all that each may take would fill the memory. A blob over 32 MiB is `registry.limit`.
 */
export function weigh(source: ArtifactSource, turns: Turns): WeighedSource {
  const ended = Promise.withResolvers<void>();
  let taken = 0;
  let turn: Promise<void> | null = null;
  const ask = (): Promise<void> => {
    const begun = Promise.withResolvers<void>();
    void turns(async () => {
      begun.resolve();
      await ended.promise;
    });
    return begun.promise;
  };
  return {
    source: {
      ...source,
      async blob(descriptor, options) {
        const { size } = descriptor;
        if (size > PIECE_BYTES) {
          const says = `${source.name}: expected at most ${PIECE_BYTES} bytes of evidence, found ${size}`;
          throw new TrustFault('registry.limit', says);
        }
        taken += size;
        if (taken > LIGHT_BYTES) {
          turn ??= ask();
          await turn;
        }
        return source.blob(descriptor, options);
      },
    },
    [Symbol.dispose]: () => ended.resolve(),
  };
}
