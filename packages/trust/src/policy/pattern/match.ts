import { has } from './char-set.ts';
import type { Program } from './program.ts';

/** The steps at which a machine stands at once, each held once. */
interface Threads {
  readonly list: Int32Array;
  count: number;
}

/**
 * Whether the machine consumes the whole of `value`, read by code points. The time is at most the
 * length of the value times the steps of the machine, whatever both are (Thompson 1968).
 */
export function matchesProgram(program: Program, value: string): boolean {
  const marks = new Int32Array(program.length).fill(-1);
  const stack: number[] = [];
  let current: Threads = { list: new Int32Array(program.length), count: 0 };
  let next: Threads = { list: new Int32Array(program.length), count: 0 };
  let at = 0;

  /** Adds the step and all that it leads to without a character; `marks` holds each position once. */
  const follow = (threads: Threads, from: number): void => {
    stack.push(from);
    for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
      const step = program[index];
      if (step === undefined || marks[index] === at) continue;
      marks[index] = at;
      if (step.op === 'jump') stack.push(step.to);
      else if (step.op === 'split') stack.push(step.second, step.first);
      else if (step.op === 'start') {
        if (at === 0) stack.push(index + 1);
      } else if (step.op === 'end') {
        if (at === value.length) stack.push(index + 1);
      } else threads.list[threads.count++] = index;
    }
  };

  follow(current, 0);
  while (at < value.length && current.count > 0) {
    const point = value.codePointAt(at) ?? 0;
    at += point > 0xffff ? 2 : 1;
    next.count = 0;
    for (let index = 0; index < current.count; index++) {
      const position = current.list[index] ?? 0;
      const step = program[position];
      if (step?.op === 'set' && has(step.set, point)) follow(next, position + 1);
    }
    [current, next] = [next, current];
  }
  if (at < value.length) return false;
  return current.list.subarray(0, current.count).some((index) => program[index]?.op === 'match');
}
