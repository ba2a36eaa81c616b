import type { Place } from '../../../bytes/yaml/node.ts';

/**
 * What became of a clause that cannot be said in the same words: `refuses` where nothing passes by it,
 * `stricter` where less passes than there, `wider` where what the document lists counts here and is passed
 * over there, `same` where only the words differ.
 */
export type NoteEffect = 'refuses' | 'stricter' | 'wider' | 'same';

/** One clause of the imported document that is not simply taken over. */
export interface ImportNote {
  readonly place: Place;
  /** The clause and its value. */
  readonly what: string;
  readonly why: string;
  readonly effect: NoteEffect;
}

/** The note of a clause; the path stands in its place. */
export function noteOf(place: Place, effect: NoteEffect, what: string, why: string): ImportNote {
  return { place, what, why, effect };
}

/** A note as one line of text, without its place. */
export function noteText({ what, why, effect }: ImportNote): string {
  return `${what}: ${why} (${EFFECTS[effect]})`;
}

const EFFECTS = {
  refuses: 'refuses',
  stricter: 'stricter here',
  wider: 'more passes here',
  same: 'decides alike',
} as const satisfies Record<NoteEffect, string>;
