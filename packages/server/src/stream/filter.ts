import { compilePattern } from '@bulla/trust/policy/pattern';
import type { StreamFilter } from '../config/streams.ts';
import type { ActBody, DecisionBody } from '../record/body.ts';
import type { StreamEvent } from './event.ts';

/** A filter that asks nothing. */
export const NO_FILTER: StreamFilter = {
  effects: null,
  policies: null,
  repositories: null,
  namespaces: null,
  surfaces: null,
  acts: null,
};

/**
 * A test on events. Gaps pass every filter: a receiver must know that it was not told all. Throws
 * `policy.pattern-invalid`.
 */
export function compileFilter(filter: StreamFilter): (event: StreamEvent) => boolean {
  const { acts, ...decisions } = filter;
  const asksDecisions = Object.values(decisions).some((one) => one !== null);
  const wantsAct = actTest(acts);
  const wantsDecision = decisionTest(decisions);
  return (event) => {
    if (event.kind === 'gap') return true;
    if (acts === null && !asksDecisions) return true;
    const { body } = event;
    if (body.kind === 'act') return acts !== null && wantsAct(body);
    return body.kind === 'decision' && asksDecisions && wantsDecision(body);
  };
}

function actTest(acts: StreamFilter['acts']): (body: ActBody) => boolean {
  const tests = (acts ?? []).map((glob) => compilePattern({ glob }));
  return ({ act }) => tests.some((test) => test(act));
}

function decisionTest(asked: Omit<StreamFilter, 'acts'>): (body: DecisionBody) => boolean {
  const { effects, policies, repositories, namespaces, surfaces } = asked;
  const globs = repositories?.map((glob) => compilePattern({ glob })) ?? null;
  return (body) =>
    (effects === null || effects.includes(body.effect)) &&
    (surfaces === null || surfaces.includes(body.surface)) &&
    (namespaces === null || (body.namespace !== null && namespaces.includes(body.namespace))) &&
    (policies === null || body.policies.some(({ name }) => policies.includes(name))) &&
    (globs === null || globs.some((test) => test(body.repository)));
}
