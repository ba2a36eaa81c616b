import type { ReactElement } from 'react';
import type { ExceptionAnswer } from '../../api/exceptions.ts';
import { plainText } from '../../parts/format.ts';
import { Icon, type IconName } from '../../parts/icons.tsx';
import { Instant } from '../../parts/values.tsx';
import { type Step, stepsOf } from './steps.ts';

const WORDS = {
  requested: { icon: 'plus', word: 'Requested' },
  used: { icon: 'glass', word: 'Glass broken' },
  approved: { icon: 'check', word: 'Approved' },
  revoked: { icon: 'cross', word: 'Revoked' },
  reviewed: { icon: 'eye', word: 'Reviewed' },
  expired: { icon: 'clock', word: 'Expired' },
  expires: { icon: 'clock', word: 'Expires' },
} as const satisfies Readonly<
  Record<Step['what'], { readonly icon: IconName; readonly word: string }>
>;

/** What happened to an exception, and who did it. */
export function Timeline({ of }: { readonly of: ExceptionAnswer }): ReactElement {
  return (
    <ol className="timeline">
      {stepsOf(of).map(({ what, at, by, signedBy, says }) => (
        <li key={what}>
          <Icon name={WORDS[what].icon} />
          <div>
            <p>
              <strong>{WORDS[what].word}</strong>{' '}
              <span className="dim">
                <Instant at={at} />
              </span>
            </p>
            {by === null ? null : (
              <p>{signedBy === null ? `by ${by}` : `signed by ${signedBy}, handed in by ${by}`}</p>
            )}
            {says === null ? null : <p className="timeline-says">{plainText(says)}</p>}
          </div>
        </li>
      ))}
    </ol>
  );
}
