import { expect, test } from 'vitest';
import { roomOf } from '../../../src/pages/record/act-rooms.ts';

test.each([
  ['exception.approved', 'exception'],
  ['break-glass.used', 'break-glass'],
  ['rollout.cut-over', 'rollout'],
  ['policy.mode-changed', 'policy'],
  ['stream.dead-letters-dropped', 'stream'],
  ['key.retired', 'key'],
])('%s is about a %s', (act, room) => expect(roomOf(act)).toBe(room));
