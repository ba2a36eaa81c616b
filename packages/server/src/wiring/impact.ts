import { randomBytes } from 'node:crypto';
import { newDecisionId } from '@bulla/trust/decide/decision-id';
import { type CelRunner, openExpressionRunner } from '@bulla/trust/policy/cel/runner';
import type { PoliciesInForce } from '../decision/policies.ts';
import { createImpact, IMPACT_LIMITS, type ImpactService } from '../impact/service.ts';
import type { RecordService } from '../record/service.ts';
import type { Tables } from '../storage/tables.ts';
import type { Clocks } from './clocks.ts';

/** Simulations, and the worker that their expressions run in, which disposal ends. */
export interface WiredImpact extends AsyncDisposable {
  readonly impact: ImpactService;
}

/** Simulations have a worker of their own: an expression that takes long holds up no door. */
export function wireImpact(
  tables: Tables,
  record: RecordService,
  inForce: PoliciesInForce,
  { clock, now }: Clocks,
): WiredImpact {
  let runner: CelRunner | null = null;
  const impact = createImpact({
    tables,
    record,
    policies: () => inForce.current().set,
    expressions: () => {
      runner ??= openExpressionRunner();
      return runner;
    },
    limits: IMPACT_LIMITS,
    newId: (at) => newDecisionId(at, randomBytes(10)),
    clock,
    now,
  });
  return {
    impact,
    async [Symbol.asyncDispose]() {
      await runner?.[Symbol.asyncDispose]();
    },
  };
}
