import { expect, test } from 'vitest';
import type { ExceptionAnswer } from '../../../src/api/exceptions.ts';
import {
  glassCommands,
  nextCommands,
  requestCommands,
} from '../../../src/pages/exceptions/commands.ts';

const ID = `sha256:3e07defd5dbe${'0'.repeat(52)}`;
const ORIGIN = 'https://bulla.example';

type About = Pick<ExceptionAnswer, 'id' | 'kind' | 'state' | 'review'>;

const verbs = (about: Omit<About, 'id'>) =>
  nextCommands({ id: ID, ...about }, ORIGIN).flatMap(({ text }) =>
    text.split('\n').map((line) => line.split(' ').slice(1, 3).join(' ')),
  );

const NEXT = [
  {
    name: 'a request is approved, or withdrawn',
    about: { kind: 'exception', state: 'requested', review: 'none' },
    expect: [
      'exception fetch',
      'exception show',
      'exception approve',
      'exception submit',
      'exception revoke',
    ],
  },
  {
    name: 'what is in force is revoked',
    about: { kind: 'exception', state: 'in-force', review: 'none' },
    expect: ['exception revoke'],
  },
  {
    name: 'a review waits for the end',
    about: { kind: 'break-glass', state: 'in-force', review: 'open' },
    expect: ['exception revoke'],
  },
  {
    name: 'an open review is closed after a revocation',
    about: { kind: 'break-glass', state: 'revoked', review: 'open' },
    expect: ['exception review'],
  },
  {
    name: 'an open review is closed after the expiry',
    about: { kind: 'break-glass', state: 'expired', review: 'open' },
    expect: ['exception review'],
  },
  {
    name: 'nothing is left to do',
    about: { kind: 'break-glass', state: 'expired', review: 'closed' },
    expect: [],
  },
] as const satisfies readonly {
  readonly name: string;
  readonly about: Omit<About, 'id'>;
  readonly expect: readonly string[];
}[];

test.each(NEXT)('$name', ({ about, expect: expected }) => {
  expect(verbs(about)).toEqual(expected);
});

test('commands name the server, and the exception by the beginning of its id', () => {
  const [revoke] = nextCommands(
    { id: ID, kind: 'exception', state: 'in-force', review: 'none' },
    ORIGIN,
  );
  expect(revoke?.text).toBe(
    "bulla exception revoke 3e07defd5dbe --reason 'WHY' --server https://bulla.example",
  );
  for (const { text } of [requestCommands(ORIGIN), glassCommands(ORIGIN)]) {
    expect(text).toContain(`--server ${ORIGIN}`);
  }
});
