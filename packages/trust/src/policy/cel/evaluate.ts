import { type CelInput, type CelResult, celEnv, isCelError, parse, plan } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import { quote } from '../../fault/fault.ts';
import { findUnknownFunction } from './functions.ts';
import type { CelAnswer, CelRequest } from './message.ts';

type Plan = (variables: Record<string, CelInput>) => CelResult;

const env = celEnv({ funcs: strings });
const plans = new Map<string, Plan>();
const PLANS_LIMIT = 100;

/**
 * The answer to one request, computed here and now: it runs in the worker, because an expression
 * can take any time. Never throws.
 */
export function answerRequest({ expression, variables }: CelRequest): CelAnswer {
  let evaluate: Plan;
  try {
    evaluate = plans.get(expression) ?? compile(expression);
  } catch (error) {
    return { code: 'cel.invalid', message: `${quote(expression)}: ${textOf(error)}` };
  }
  if (variables === null) return { value: true };
  try {
    return judge(evaluate(bindings(variables)));
  } catch (error) {
    return { code: 'cel.failed', message: `the expression cannot be evaluated: ${textOf(error)}` };
  }
}

function compile(expression: string): Plan {
  const parsed = parse(expression);
  const unknown = findUnknownFunction(env, parsed.expr);
  if (unknown !== null) throw new Error(`there is no function ${unknown}`);
  const planned: Plan = plan(env, parsed);
  if (plans.size >= PLANS_LIMIT) plans.clear();
  plans.set(expression, planned);
  return planned;
}

function judge(result: CelResult): CelAnswer {
  if (isCelError(result)) {
    return { code: 'cel.failed', message: `the expression failed: ${textOf(result)}` };
  }
  if (typeof result === 'boolean') return { value: result };
  return { code: 'cel.not-boolean', message: `expected true or false, found ${kindOf(result)}` };
}

function kindOf(result: CelResult): string {
  if (result === null) return 'null';
  const kind = typeof result;
  return kind === 'bigint'
    ? 'an integer'
    : kind === 'object'
      ? 'a list, map or message'
      : `a ${kind}`;
}

/** Without a prototype: CEL would find `constructor` in an ordinary object. */
function bindings(variables: Readonly<Record<string, unknown>>): Record<string, CelInput> {
  const bound: Record<string, CelInput> = Object.create(null);
  for (const [name, value] of Object.entries(variables)) bound[name] = celOf(value);
  return bound;
}

/**
 * A JSON value as CEL's: objects are maps, and every number is a double, as CEL's own reading of
 * JSON has it (google.protobuf.Value), so that a member has one type in every document.
 */
function celOf(value: unknown): CelInput {
  if (Array.isArray(value)) return value.map(celOf);
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
      return value;
    case 'object':
      return value === null
        ? null
        : new Map(Object.entries(value).map(([key, item]) => [key, celOf(item)]));
    default:
      throw new TypeError(`a variable is ${typeof value}, which is not JSON`);
  }
}

function textOf(error: unknown): string {
  return quote(error instanceof Error ? error.message : String(error));
}
