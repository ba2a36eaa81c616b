import { problemLine } from '@bulla/trust/bytes/yaml/problem';
import { codeEntry } from '@bulla/trust/fault/codes';
import { asFault, printable } from '@bulla/trust/fault/fault';
import type { PolicyCase, PolicyTest } from '@bulla/trust/policy/cases/document';
import type { Decision } from '@bulla/trust/policy/decision';
import type { Command } from 'commander';
import type { CliContext } from '../../context.ts';
import { sharedExpressions } from '../../options/decisions.ts';
import { readFileBounded } from '../../options/files.ts';
import { outputOption } from '../../options/output.ts';
import { loadedPolicies, namedTrustRoots, trustRootOption } from '../../options/policy.ts';
import { addRegistryOptions, type RegistryFlags } from '../../options/registry.ts';
import { painter } from '../../output/findings.ts';
import { jsonText } from '../../output/json.ts';

interface TestFlags extends RegistryFlags {
  readonly trustRoot: readonly string[];
  readonly output: 'text' | 'json';
}

/** What one case came to; without a decision it could not be decided about at all. */
interface CaseResult {
  readonly name: string;
  /** What was expected and not found; none for a case that is well. */
  readonly problems: readonly string[];
  readonly decision: Decision | null;
  readonly durationMs: number;
}

/** What one file came to; with problems none of its cases was run. */
interface FileResult {
  readonly file: string;
  readonly problems: readonly string[];
  readonly cases: readonly CaseResult[];
}

const MAX_TEST_BYTES = 1 << 20;

/** `bulla policy test PATH…`: whether policies decide as `*.test.yaml` files say. */
export function configureTest(policy: Command, context: CliContext): void {
  const command = policy.command('test');
  command
    .description('run *.test.yaml files: images or stored evidence, and what must be decided')
    .argument('<path...>', 'files, and folders with *.test.yaml in them or below')
    .addOption(trustRootOption(command))
    .addOption(outputOption(command));
  addRegistryOptions(command).action(async (paths: readonly string[], flags: TestFlags) => {
    const { findTestFiles } = await import('./test-files.ts');
    const files = await findTestFiles(paths);
    await using expressions = sharedExpressions();
    const results: FileResult[] = [];
    for (const file of files) {
      const result = await runFile(file, flags, expressions.runner, context);
      results.push(result);
      if (flags.output === 'text') await printFile(result, context);
    }
    if (flags.output === 'json') context.out(jsonText(await documentOf(results)));
    else context.out(summaryOf(results));
  });
}

async function runFile(
  file: string,
  flags: TestFlags,
  expressions: ReturnType<typeof sharedExpressions>['runner'],
  context: CliContext,
): Promise<FileResult> {
  const refused = (problems: readonly string[], code: 1 | 2 | 3 | 4): FileResult => {
    context.exit.note(code);
    return { file, problems, cases: [] };
  };
  try {
    const { parsePolicyTest } = await import('@bulla/trust/policy/cases/parse');
    const bytes = await readFileBounded(file, MAX_TEST_BYTES, context.signal);
    const { test, problems } = parsePolicyTest(bytes, file);
    if (test === null) return refused(problems.map(problemLine), 2);
    const { beside, decideCase } = await import('./run-test.ts');
    const policies = await policiesOf(test, (path) => beside(file, path), flags, context);
    const ground = { file, policies, expressions, flags, context };
    const cases: CaseResult[] = [];
    for (const one of test.cases) {
      cases.push(await runCase(one, () => decideCase(one, ground), context));
    }
    return { file, problems: [], cases };
  } catch (error) {
    const { code, message } = asFault(error);
    return refused([`${file}: ${code}: ${message}`], codeEntry(code).exit);
  }
}

async function policiesOf(
  { policies, trustRoots }: PolicyTest,
  beside: (path: string) => string,
  flags: TestFlags,
  context: CliContext,
) {
  const own = Object.entries(trustRoots).map(([name, path]) => `${name}=${beside(path)}`);
  const roots = await namedTrustRoots({ trustRoot: [...flags.trustRoot, ...own] }, context);
  return (await loadedPolicies(policies.map(beside), roots, context)).set;
}

async function runCase(
  test: PolicyCase,
  decide: () => Promise<Decision>,
  context: CliContext,
): Promise<CaseResult> {
  const { name, expect } = test;
  const started = context.now();
  try {
    const { unmet } = await import('@bulla/trust/policy/cases/expect');
    const decision = await decide();
    const problems = unmet(decision, expect);
    if (problems.length > 0) context.exit.note(1);
    return { name, problems, decision, durationMs: context.now() - started };
  } catch (error) {
    const { code, message } = asFault(error);
    context.exit.note(codeEntry(code).exit);
    const problems = [`${code}: ${message}`];
    return { name, problems, decision: null, durationMs: context.now() - started };
  }
}

async function printFile(
  { file, problems, cases }: FileResult,
  context: CliContext,
): Promise<void> {
  const { renderDecision } = await import('@bulla/trust/policy/render');
  const paint = painter(context);
  for (const problem of problems) context.out(printable(problem));
  if (cases.length > 0) context.out(printable(file));
  for (const { name, problems: unmet, decision, durationMs } of cases) {
    const isOk = unmet.length === 0;
    const word = isOk ? paint('pass', 'ok  ') : paint('fail', 'FAIL');
    const why = isOk ? '' : `: ${printable(unmet.join('; '))}`;
    context.out(`${word} ${printable(name)} (${Math.round(durationMs)} ms)${why}`);
    if (isOk || decision === null) continue;
    for (const line of renderDecision(decision, { paint })) context.out(`     ${line}`);
  }
}

function summaryOf(results: readonly FileResult[]): string {
  const cases = results.flatMap((result) => result.cases);
  const failed = cases.filter(({ problems }) => problems.length > 0).length;
  const unread = results.filter(({ problems }) => problems.length > 0).length;
  const parts = [
    `${cases.length - failed} ok`,
    ...(failed === 0 ? [] : [`${failed} failed`]),
    ...(unread === 0 ? [] : [`${unread} ${unread === 1 ? 'file' : 'files'} with mistakes`]),
  ];
  return parts.join(', ');
}

async function documentOf(results: readonly FileResult[]): Promise<object> {
  const { decisionJson } = await import('@bulla/trust/policy/render');
  const isOk = ({ problems, cases }: FileResult) =>
    problems.length === 0 && cases.every((one) => one.problems.length === 0);
  return {
    schema: 'https://bulla.dev/schemas/policy-test-result/v1',
    ok: results.every(isOk),
    files: results.map(({ file, problems, cases }) => ({
      file,
      problems,
      cases: cases.map(({ name, problems: unmet, decision, durationMs }) => ({
        name,
        ok: unmet.length === 0,
        problems: unmet,
        durationMs: Math.round(durationMs * 100) / 100,
        decision: decision && decisionJson(decision),
      })),
    })),
  };
}
