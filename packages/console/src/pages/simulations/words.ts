import type {
  ImpactedAnswer,
  ImpactTotals,
  SimulatedAnswer,
  SimulationTotals,
  SummaryAnswer,
} from '../../api/simulations.ts';
import { countText, plural } from '../../parts/format.ts';
import type { IconName } from '../../parts/icons.tsx';
import type { Tone } from '../../parts/mark.tsx';

interface Word {
  readonly word: string;
  readonly tone: Tone;
  readonly icon: IconName;
  /** What is said of the images of this class. */
  readonly says: string;
}

/** What other policies would change, in words. */
export const CHANGES = {
  refused: {
    word: 'newly denied',
    tone: 'bad',
    icon: 'cross',
    says: 'Admitted until now, and denied by the new policies.',
  },
  excepted: {
    word: 'only by exception',
    tone: 'warn',
    icon: 'exceptions',
    says: 'An exception let it in, without which the new policies deny it: exceptions are no part of the comparison.',
  },
  admitted: {
    word: 'newly admitted',
    tone: 'info',
    icon: 'check',
    says: 'Denied until now, and admitted by the new policies.',
  },
  warned: {
    word: 'newly warned about',
    tone: 'warn',
    icon: 'warning',
    says: 'Admitted still, and a policy that warns or records is not satisfied any more.',
  },
  unknown: {
    word: 'cannot be answered',
    tone: 'mute',
    icon: 'question',
    says: 'The evidence that would decide was not stored. Never taken for unchanged.',
  },
} as const satisfies Readonly<Record<NonNullable<SimulatedAnswer['change']>, Word>>;

/** What a change of trust does to images, in words, the worst first. */
export const IMPACTS = {
  lost: {
    word: 'lost',
    tone: 'bad',
    icon: 'cross',
    says: 'It passes a policy, and would not: its last valid path goes.',
  },
  unknown: {
    word: 'cannot be answered',
    tone: 'mute',
    icon: 'question',
    says: 'The evidence that would decide was not stored. Never taken for fine.',
  },
  'at-risk': {
    word: 'at risk',
    tone: 'warn',
    icon: 'warning',
    says: 'It passes on, and from then on hangs by one signer.',
  },
  refused: {
    word: 'denied already',
    tone: 'mute',
    icon: 'dash',
    says: 'It did not pass before either.',
  },
  gained: {
    word: 'gained',
    tone: 'info',
    icon: 'plus',
    says: 'It passes by the new identity, and did not before.',
  },
  kept: { word: 'unaffected', tone: 'good', icon: 'check', says: 'Nothing changes.' },
} as const satisfies Readonly<Record<ImpactedAnswer['impact'], Word>>;

/** The word of the address as one of the table's; null for any other. */
export function keyOf<T extends object>(table: T, word: string | undefined): keyof T | null {
  return word !== undefined && isKey(table, word) ? word : null;
}

function isKey<T extends object>(table: T, word: string): word is string & keyof T {
  return Object.hasOwn(table, word);
}

/** What came out, in one line of a list. */
export function summaryText(one: SummaryAnswer): string {
  if (one.kind === 'impact') {
    const { byImpact, lostRunning } = one.totals;
    const running = byImpact.lost === 0 ? '' : ` (${countText(lostRunning)} running)`;
    return `${countText(byImpact.lost)} lost${running}, ${countText(byImpact['at-risk'])} at risk, ${countText(byImpact.unknown)} cannot be answered`;
  }
  const { refused, admitted, unknown } = one.totals;
  return `${countText(refused)} newly denied, ${countText(admitted)} newly admitted, ${countText(unknown)} cannot be answered`;
}

/** That more images change than are listed, or null; the counts are of all. */
export function cutText(listed: number, changed: number): string | null {
  if (listed >= changed) return null;
  return `${plural(changed, 'image')} change, of which ${countText(listed)} are listed and told apart below.`;
}

/** How many images a simulation changes, or cannot tell about. */
export function changedImages(totals: SimulationTotals): number {
  const { refused, excepted, admitted, warned, unknown } = totals;
  return refused + excepted + admitted + warned + unknown;
}

/** How many images a change of trust does something to, or cannot be told about. */
export function touchedImages({ byImpact }: ImpactTotals): number {
  return byImpact.lost + byImpact.unknown + byImpact['at-risk'] + byImpact.gained;
}

/** How far an answer reaches, where it does not reach over all that was asked for; else null. */
export function shortfallText(totals: SummaryAnswer['totals']): string | null {
  if (totals.complete) return null;
  const since = totals.since.slice(0, 16).replace('T', ' ');
  const left = totals.left === 0 ? '' : ` For ${plural(totals.left, 'image')} there was no time.`;
  return `The record has more than one simulation may take: all is in it since ${since} UTC.${left}`;
}
