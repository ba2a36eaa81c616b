import { failed, failedBy, passed } from '../../../finding/finding.ts';
import type { ExpressionRunner } from '../../expression.ts';
import type { Condition } from '../condition.ts';

/** An expression on the deciding statement (`where`, `--where`). */
export interface StatementExpression {
  readonly expression: string;
  /** Asked for when a statement is there to be judged, and not before. */
  readonly runner: () => ExpressionRunner;
  readonly deadlineMs: number;
}

/**
 * The statement satisfies a CEL expression over `statement` and its members. False is
 * `statement.where-false`; an expression that cannot be evaluated is the fault `cel.*`.
 */
export function whereCondition({ expression, runner, deadlineMs }: StatementExpression): Condition {
  return async ({ statement }) => {
    try {
      const { document } = statement;
      const variables = { ...document, statement: document };
      const holds = await runner().evaluate(expression, variables, { deadlineMs });
      const finding = holds
        ? passed('statement.where', `the statement satisfies ${expression}`, 'CEL')
        : failed(
            'statement.where',
            'statement.where-false',
            `the statement does not satisfy ${expression}`,
            'CEL',
          );
      return { finding, until: null };
    } catch (error) {
      return { finding: failedBy('statement.where', error, 'CEL'), until: null };
    }
  };
}
