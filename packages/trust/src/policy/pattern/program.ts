import { TrustFault } from '../../fault/fault.ts';
import type { CharSet } from './char-set.ts';
import type { PatternNode } from './syntax.ts';

/** One step of a machine. Steps without a target go on to the next one. */
export type Step =
  | { readonly op: 'set'; readonly set: CharSet }
  | { readonly op: 'start' }
  | { readonly op: 'end' }
  | { readonly op: 'jump'; to: number }
  | { readonly op: 'split'; readonly first: number; second: number }
  | { readonly op: 'match' };

/** A machine in Thompson's construction: a value matches when some path of steps consumes it all. */
export type Program = readonly Step[];

const MAX_STEPS = 4000;

interface Emitter {
  readonly steps: Step[];
  /** Nodes that may still be written: repetitions of nothing write no step but take their time. */
  budget: number;
}

/** The machine of a pattern. Throws `policy.pattern-invalid` when its repetitions come to too much. */
export function compileProgram(node: PatternNode): Program {
  const emitter: Emitter = { steps: [], budget: 4 * MAX_STEPS };
  emit(emitter, node);
  emitter.steps.push({ op: 'match' });
  return emitter.steps;
}

function emit(emitter: Emitter, node: PatternNode): void {
  if (emitter.budget-- <= 0 || emitter.steps.length > MAX_STEPS) {
    throw new TrustFault('policy.pattern-invalid', 'the pattern repeats too much in all');
  }
  switch (node.kind) {
    case 'set':
      emitter.steps.push({ op: 'set', set: node.set });
      break;
    case 'start':
    case 'end':
      emitter.steps.push({ op: node.kind });
      break;
    case 'sequence':
      for (const item of node.items) emit(emitter, item);
      break;
    case 'choice':
      emitChoice(emitter, node.options);
      break;
    case 'repeat':
      emitRepeat(emitter, node.item, node.least, node.most);
      break;
    default:
      node satisfies never;
  }
}

function emitChoice(emitter: Emitter, options: readonly PatternNode[]): void {
  const { steps } = emitter;
  const jumps: { to: number }[] = [];
  for (const [index, option] of options.entries()) {
    if (index === options.length - 1) {
      emit(emitter, option);
      continue;
    }
    const split = { op: 'split' as const, first: steps.length + 1, second: 0 };
    steps.push(split);
    emit(emitter, option);
    const jump = { op: 'jump' as const, to: 0 };
    steps.push(jump);
    jumps.push(jump);
    split.second = steps.length;
  }
  for (const jump of jumps) jump.to = steps.length;
}

function emitRepeat(emitter: Emitter, item: PatternNode, least: number, most: number | null): void {
  const { steps } = emitter;
  for (let count = 0; count < least; count++) emit(emitter, item);
  if (most === null) {
    const again = steps.length;
    const split = { op: 'split' as const, first: again + 1, second: 0 };
    steps.push(split);
    emit(emitter, item);
    steps.push({ op: 'jump', to: again });
    split.second = steps.length;
    return;
  }
  const splits: { second: number }[] = [];
  for (let count = least; count < most; count++) {
    const split = { op: 'split' as const, first: steps.length + 1, second: 0 };
    steps.push(split);
    splits.push(split);
    emit(emitter, item);
  }
  for (const split of splits) split.second = steps.length;
}
