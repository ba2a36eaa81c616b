import type { ReactElement } from 'react';
import type { ExceptionState } from '../api/exceptions.ts';
import { Label } from './mark.tsx';

/** A use of break-glass, told apart from an exception that two people signed. */
export function KindLabel({ kind }: { readonly kind: string }): ReactElement {
  return kind === 'break-glass' ? (
    <Label tone="bad" icon="glass">
      break-glass
    </Label>
  ) : (
    <Label tone="warn" icon="exceptions">
      exception
    </Label>
  );
}

const STATES = {
  requested: { tone: 'info', icon: 'clock', word: 'requested' },
  'in-force': { tone: 'warn', icon: 'warning', word: 'in force' },
  expired: { tone: 'mute', icon: 'clock', word: 'expired' },
  revoked: { tone: 'mute', icon: 'cross', word: 'revoked' },
} as const satisfies Readonly<Record<ExceptionState, object>>;

/** Where an exception stands, as a word. What is in force lets images in past a clause. */
export function StateLabel({ state }: { readonly state: ExceptionState }): ReactElement {
  const { tone, icon, word } = STATES[state];
  return (
    <Label tone={tone} icon={icon}>
      {word}
    </Label>
  );
}

/** Whether somebody has to look at a use of break-glass, or has; nothing where none is asked for. */
export function ReviewLabel(props: {
  readonly review: 'none' | 'open' | 'closed';
}): ReactElement | null {
  if (props.review === 'none') return null;
  return props.review === 'open' ? (
    <Label tone="bad" icon="warning">
      review open
    </Label>
  ) : (
    <Label tone="good" icon="check">
      reviewed
    </Label>
  );
}
