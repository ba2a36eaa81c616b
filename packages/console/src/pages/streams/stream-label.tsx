import type { ReactElement } from 'react';
import type { StreamAnswer } from '../../api/streams.ts';
import { plural } from '../../parts/format.ts';
import { Label } from '../../parts/mark.tsx';

/** Whether a receiver has all of the record that it wants, as words. */
export function StreamLabels({ of }: { readonly of: StreamAnswer }): ReactElement {
  const { failingSince, lag, deadLetters } = of;
  return (
    <>
      {failingSince !== null ? (
        <Label tone="bad" icon="cross">
          failing
        </Label>
      ) : lag > 0 ? (
        <Label tone="info" icon="clock">
          sending
        </Label>
      ) : (
        <Label tone="good" icon="check">
          up to date
        </Label>
      )}
      {deadLetters === 0 ? null : (
        <Label tone="warn" icon="warning">
          {plural(deadLetters, 'dead letter')}
        </Label>
      )}
    </>
  );
}
