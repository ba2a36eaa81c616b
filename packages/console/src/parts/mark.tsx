import type { ReactElement } from 'react';
import { Icon, type IconName } from './icons.tsx';
import './mark.css';

const MARKS = {
  admit: { tone: 'good', icon: 'check', word: 'admitted' },
  deny: { tone: 'bad', icon: 'cross', word: 'denied' },
  warn: { tone: 'warn', icon: 'warning', word: 'warned' },
  audit: { tone: 'info', icon: 'eye', word: 'audited' },
  pass: { tone: 'good', icon: 'check', word: 'pass' },
  fail: { tone: 'bad', icon: 'cross', word: 'fail' },
  inconclusive: { tone: 'warn', icon: 'question', word: 'inconclusive' },
  skipped: { tone: 'mute', icon: 'dash', word: 'skipped' },
} as const satisfies Readonly<
  Record<string, { readonly tone: Tone; readonly icon: IconName; readonly word: string }>
>;

/** What colours mean. A colour never stands alone: an icon and a word say the same. */
export type Tone = 'good' | 'bad' | 'warn' | 'info' | 'mute';

/** An outcome that has a mark of its own. */
export type MarkName = keyof typeof MARKS;

/** Whether `text` is an outcome that has a mark. */
export function isMark(text: string): text is MarkName {
  return Object.hasOwn(MARKS, text);
}

/** An outcome as a word with its icon; an unknown one is shown as it is. */
export function Mark({ of, word }: { readonly of: string; readonly word?: string }): ReactElement {
  if (!isMark(of)) return <Label tone="mute">{word ?? of}</Label>;
  const { tone, icon, word: usual } = MARKS[of];
  return (
    <span className="mark" data-tone={tone}>
      <Icon name={icon} />
      {word ?? usual}
    </span>
  );
}

/** A short word that is no outcome: a role, a state, a mode. */
export function Label(props: {
  readonly tone: Tone;
  readonly icon?: IconName;
  readonly children: string;
}): ReactElement {
  return (
    <span className="mark" data-tone={props.tone}>
      {props.icon === undefined ? null : <Icon name={props.icon} />}
      {props.children}
    </span>
  );
}
