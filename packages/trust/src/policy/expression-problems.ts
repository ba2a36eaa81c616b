import { type Problem, problemAt } from '../bytes/yaml/problem.ts';
import { asFault } from '../fault/fault.ts';
import type { CelRunner } from './cel/runner.ts';
import type { PolicySource } from './parse.ts';

/**
 * The expressions of a policy that `runner` cannot read, each as a problem at its place, with the code
 * that the runner gave it (`cel.invalid`). Throws for a defect of Bulla alone.
 */
export async function expressionProblems(
  expressions: PolicySource['expressions'],
  runner: Pick<CelRunner, 'checkExpression'>,
): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  for (const { text, place } of expressions) {
    try {
      await runner.checkExpression(text);
    } catch (error) {
      const { code, message, remedy } = asFault(error);
      if (code === 'internal.defect') throw error;
      problems.push(problemAt(place, code, `${message} at ${place.path}`, remedy));
    }
  }
  return problems;
}
