import type { ReactElement } from 'react';
import type { PolicyAnswer } from '../../api/policies.ts';
import { Label } from '../../parts/mark.tsx';

const MODES = {
  enforce: { tone: 'good', icon: 'check', says: 'enforce' },
  warn: { tone: 'warn', icon: 'warning', says: 'warn' },
  audit: { tone: 'info', icon: 'eye', says: 'audit' },
} as const;

/** What a policy that is not satisfied does. */
export function ModeLabel({ mode }: { readonly mode: PolicyAnswer['mode'] }): ReactElement {
  const { tone, icon, says } = MODES[mode];
  return (
    <Label tone={tone} icon={icon}>
      {says}
    </Label>
  );
}
