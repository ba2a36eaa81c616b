import type { CelEnv, parse } from '@bufbuild/cel';

type Expr = ReturnType<typeof parse>['expr'];

/**
 * The name of a function that the expression calls and that `env` does not have; null when it has
 * them all. CEL itself says so only when the call is reached, which is too late for whoever wrote
 * the expression.
 */
export function findUnknownFunction(env: CelEnv, expr: Expr | undefined): string | null {
  for (const part of partsOf(expr)) {
    const { exprKind } = part;
    if (exprKind.case !== 'callExpr') continue;
    const { function: name, target } = exprKind.value;
    // Operators are called `_+_`, `!_`, `@in`: the planner has them.
    if (!/^[A-Za-z]/.test(name) || env.funcs.find(name) !== undefined) continue;
    const qualified = `${dottedName(target) ?? ''}.${name}`;
    if (env.funcs.find(qualified) === undefined) return name;
  }
  return null;
}

/** `expr` and everything inside of it. */
function* partsOf(expr: Expr | undefined): Generator<Expr> {
  if (expr === undefined) return;
  yield expr;
  for (const child of childrenOf(expr)) yield* partsOf(child);
}

function childrenOf({ exprKind }: Expr): readonly (Expr | undefined)[] {
  switch (exprKind.case) {
    case 'callExpr':
      return [exprKind.value.target, ...exprKind.value.args];
    case 'selectExpr':
      return [exprKind.value.operand];
    case 'listExpr':
      return exprKind.value.elements;
    case 'structExpr':
      return exprKind.value.entries.flatMap(({ keyKind, value }) =>
        keyKind.case === 'mapKey' ? [keyKind.value, value] : [value],
      );
    case 'comprehensionExpr': {
      const { iterRange, accuInit, loopCondition, loopStep, result } = exprKind.value;
      return [iterRange, accuInit, loopCondition, loopStep, result];
    }
    default:
      return [];
  }
}

function dottedName(expr: Expr | undefined): string | null {
  if (expr?.exprKind.case === 'identExpr') return expr.exprKind.value.name;
  if (expr?.exprKind.case !== 'selectExpr') return null;
  const { operand, field } = expr.exprKind.value;
  const inner = dottedName(operand);
  return inner === null ? null : `${inner}.${field}`;
}
