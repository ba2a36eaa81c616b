import { randomBytes } from 'node:crypto';
import { newDecisionId } from '@bulla/trust/decide/decision-id';
import type { Code } from '@bulla/trust/fault/codes';
import { type CelRunner, openExpressionRunner } from '@bulla/trust/policy/cel/runner';
import type { ChangeReason } from '@bulla/trust/policy/impact/compare';
import type { PolicyScope, PolicySet } from '@bulla/trust/policy/policy-set';
import type { AdmissionSection } from '../config/config.ts';
import type { PoliciesInForce } from '../decision/policies.ts';
import { createImpact, IMPACT_LIMITS, type ImpactService } from '../impact/service.ts';
import { strictest } from '../reach/tag-rules.ts';
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
  admission: AdmissionSection | null,
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
    refusesTag: (policies, scope) =>
      admission === null ? null : tagRefusal(admission, policies, scope),
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

/**
 * What this server's webhook refuses of a tag by the policies that enforce there: one that is left as
 * it is while nodes pull past the gateway, and one that has to be pinned where nothing pins
 * (`admission/judge.ts`; semantics 16).
 */
export function tagRefusal(
  { nodesPullThrough, pin }: Pick<AdmissionSection, 'nodesPullThrough' | 'pin'>,
  { policies }: PolicySet,
  scope: PolicyScope,
): ChangeReason | null {
  const enforcing = policies.filter(
    (policy) => policy.document.mode === 'enforce' && policy.covers(scope),
  );
  const rule = strictest(enforcing);
  const reason = (code: Code, says: string) => ({
    ...{ policy: null, clause: `tags: ${rule ?? ''}`, code, says },
  });
  if (rule === 'leave' && !nodesPullThrough) {
    return reason(
      'admission.tag-left',
      'its tag is left as it is, and nodes pull past the gateway',
    );
  }
  if (rule === 'pin' && pin === 'none') {
    return reason('admission.tag-unpinned', 'it is named by a tag, and admission pins none');
  }
  return null;
}
