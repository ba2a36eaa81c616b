import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { countText } from '../../parts/format.ts';
import type { IconName } from '../../parts/icons.tsx';
import { Label, type Tone } from '../../parts/mark.tsx';
import '../../parts/counts.css';

/** A class of images with its count; it leads to the images of that class. */
export function Tile(props: {
  readonly id: string;
  readonly change: string;
  readonly by: string | undefined;
  readonly count: number;
  readonly word: string;
  readonly tone: Tone;
  readonly icon: IconName;
  readonly chosen: boolean;
}): ReactElement {
  const { id, change, by, count, word, tone, icon, chosen } = props;
  return (
    <Link
      className="count"
      to="/simulations/$id"
      params={{ id }}
      search={{ change, ...(by === undefined ? {} : { by }) }}
      resetScroll={false}
      activeProps={{}}
      aria-current={chosen ? 'true' : undefined}
    >
      <span className="count-number">{countText(count)}</span>
      <Label tone={count === 0 ? 'mute' : tone} icon={icon}>
        {word}
      </Label>
    </Link>
  );
}
