import {
  asArray,
  asCount,
  asString,
  type Cursor,
  member,
  optional,
} from '@bulla/trust/bytes/shape';
import type { Api } from './api.ts';
import { answer } from './parse.ts';

/** A stream as lists show it. */
export interface ShownStream {
  readonly name: string;
  readonly format: string;
  readonly receiver: string;
  readonly lag: number;
  readonly deadLetters: number;
  readonly failingSince: string | null;
  readonly reason: string | null;
}

/** The streams of a list. */
export function parseStreams(document: unknown): readonly ShownStream[] {
  return asArray(member(answer(document), 'streams'), (at) => ({
    name: asString(member(at, 'name')),
    format: asString(member(at, 'format')),
    receiver: asString(member(at, 'receiver')),
    lag: asCount(member(at, 'lag')),
    deadLetters: asCount(member(at, 'deadLetters')),
    failingSince: optional(member(at, 'failingSince'), asString) ?? null,
    reason: optional(member(at, 'reason'), asString) ?? null,
  }));
}

/** A dead letter as lists show it. */
export interface ShownLetter {
  readonly id: string;
  readonly kind: string;
  readonly failedAt: string;
  readonly reason: string;
  readonly attempts: number;
  readonly retrying: boolean;
}

/** All dead letters of a stream, page by page, each beside its document as it came. */
export async function readLetters(
  api: Api,
  stream: string,
): Promise<readonly { readonly shown: ShownLetter; readonly document: unknown }[]> {
  const found: { readonly shown: ShownLetter; readonly document: unknown }[] = [];
  for (let after: number | null = 0; after !== null; ) {
    const path = ['streams', stream, 'dead-letters'];
    const query = { after: String(after) };
    const at = answer(await api.json({ method: 'GET', path, query }));
    for (const one of asArray(member(at, 'deadLetters'), (letter) => letter)) {
      found.push({ shown: asLetter(one), document: one.value });
    }
    after = optional(member(at, 'next'), asCount) ?? null;
  }
  return found;
}

function asLetter(at: Cursor): ShownLetter {
  return {
    id: asString(member(at, 'id')),
    kind: asString(member(at, 'kind')),
    failedAt: asString(member(at, 'failedAt')),
    reason: asString(member(at, 'reason')),
    attempts: asCount(member(at, 'attempts')),
    retrying: member(at, 'retrying').value === true,
  };
}
