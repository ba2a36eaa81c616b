import type { ReactElement } from 'react';
import { Label } from '../../parts/mark.tsx';

const MODES = {
  enforce: { tone: 'good', icon: 'check', says: 'refuses an image that does not satisfy it' },
  warn: { tone: 'warn', icon: 'warning', says: 'admits such an image too, with a warning' },
  audit: { tone: 'info', icon: 'eye', says: 'admits such an image too, and only records that' },
} as const;

function isMode(mode: string): mode is keyof typeof MODES {
  return Object.hasOwn(MODES, mode);
}

/** What a policy that is not satisfied does, as a word. */
export function ModeLabel({ mode }: { readonly mode: string }): ReactElement {
  if (!isMode(mode)) return <Label tone="mute">{mode}</Label>;
  const { tone, icon } = MODES[mode];
  return (
    <Label tone={tone} icon={icon}>
      {mode}
    </Label>
  );
}

/** What it does, in words. */
export function modeText(mode: string): string {
  return isMode(mode) ? `${mode}: ${MODES[mode].says}` : mode;
}
