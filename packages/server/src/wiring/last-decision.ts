import type { FindLastDecision } from '../gateway/repository-view.ts';
import type { RecordService } from '../record/service.ts';

/** The last decision of the record about an image. */
export function lastDecisionOf(record: RecordService): FindLastDecision {
  return async (repository, digest) => {
    const { decisions } = await record.search({ repository, digest }, { limit: 1 });
    const [last] = decisions;
    if (last === undefined) return null;
    const { id, outcome, effect, at } = last.decision;
    return { id, outcome, effect, at };
  };
}
