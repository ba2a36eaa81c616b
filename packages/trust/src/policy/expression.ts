/**
 * Evaluates expressions of policies and of `--where` (CEL). A false answer is not a fault; an
 * expression that cannot be read or evaluated, or that runs out of time, is a TrustFault `cel.*`,
 * which its caller shows as `fail` (semantics 2).
 */
export interface ExpressionRunner extends AsyncDisposable {
  evaluate(
    expression: string,
    variables: Readonly<Record<string, unknown>>,
    options: { readonly deadlineMs: number },
  ): Promise<boolean>;
}
