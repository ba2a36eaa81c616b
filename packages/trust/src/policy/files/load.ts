import { hasErrors, type Problem, problemAt, problemLine } from '../../bytes/yaml/problem.ts';
import { asFault, quote, TrustFault } from '../../fault/fault.ts';
import type { TrustedRoot } from '../../trust-root/trusted-root.ts';
import type { CelRunner } from '../cel/runner.ts';
import { expressionProblems } from '../expression-problems.ts';
import { type PolicySource, parsePolicies } from '../parse.ts';
import type { PolicySet, ReadyPolicy } from '../policy-set.ts';
import { policySet, readyPolicy } from '../ready.ts';
import { findPolicyFiles, readRegularFile } from './read.ts';
import { openResources } from './resources.ts';

/** What policies may name beside their own files, and who reads their expressions. */
export interface LoadOptions {
  /** Trust roots of the door's own configuration, by name; a policy's own of the name comes before. */
  readonly trustRoots?: ReadonlyMap<string, TrustedRoot>;
  /** Checks each `where`; without it one is started when there is a `where`, and ended again. */
  readonly expressions?: Pick<CelRunner, 'checkExpression'>;
}

/** Policies that may decide, and the remarks on them. */
export interface LoadedPolicies {
  readonly set: PolicySet;
  /** The file that each policy stands in, by the policy's name. */
  readonly files: ReadonlyMap<string, string>;
  readonly warnings: readonly Problem[];
}

/** What `policy check` shows: every mistake and remark; the set is null when there is any mistake. */
export interface CheckedPolicies {
  readonly set: PolicySet | null;
  readonly files: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
}

const MAX_POLICY_BYTES = 1 << 20;
/** A message is for people; `policy check` lists all. */
const MAX_LISTED = 20;

/**
 * Loads the policies of files and folders, all or none: a file that is half-written or wrong is
 * never a smaller set. A folder without policies is an empty set, by which nothing is admitted
 * (semantics 4). Throws `policy.unreadable` when a path or policy file is gone or cannot be read,
 * and `policy.invalid` with every mistake by its line otherwise.
 */
export async function loadPolicies(
  paths: readonly string[],
  options: LoadOptions = {},
): Promise<LoadedPolicies> {
  const { set, files, problems } = await checkPolicies(paths, options);
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (set !== null && errors.length === 0) return { set, files, warnings: problems };
  const gone = errors.find(({ code }) => code === 'policy.unreadable');
  if (gone !== undefined) throw new TrustFault(gone.code, gone.message, gone.remedy);
  const listed = errors.slice(0, MAX_LISTED).map(problemLine);
  const more = errors.length > MAX_LISTED ? [`and ${errors.length - MAX_LISTED} more`] : [];
  throw new TrustFault(
    'policy.invalid',
    `the policies have mistakes:\n${[...listed, ...more].join('\n')}`,
    errors.length === 1 ? errors[0]?.remedy : undefined,
  );
}

/** As `loadPolicies`, giving every mistake and remark, each at its place, and throwing for none. */
export async function checkPolicies(
  paths: readonly string[],
  options: LoadOptions = {},
): Promise<CheckedPolicies> {
  const found = await findPolicyFiles(paths);
  const problems: Problem[] = [...found.problems];
  const loaded: LoadedFile[] = [];
  for (const file of found.files) {
    const read = await readPolicyFile(file);
    problems.push(...read.problems);
    loaded.push(...read.sources.map((source) => ({ file, source })));
  }
  problems.push(
    ...repeatedAcross(loaded),
    ...(await checkExpressions(loaded, options.expressions)),
  );
  const policies: ReadyPolicy[] = [];
  for (const { file, source } of loaded) {
    const opened = await openResources(source, file, options.trustRoots ?? new Map());
    problems.push(...opened.problems);
    if (!hasErrors(opened.problems)) policies.push(readyPolicy(source.policy, opened.resources));
  }
  const files = new Map(loaded.map(({ file, source }) => [source.policy.name, file]));
  return { set: hasErrors(problems) ? null : policySet(policies), files, problems };
}

interface LoadedFile {
  readonly file: string;
  readonly source: PolicySource;
}

async function readPolicyFile(
  file: string,
): Promise<{ readonly sources: readonly PolicySource[]; readonly problems: readonly Problem[] }> {
  try {
    return parsePolicies(await readRegularFile(file, MAX_POLICY_BYTES, 'policy.unreadable'), file);
  } catch (error) {
    const { code, message, remedy } = asFault(error);
    if (code === 'internal.defect') throw error;
    const place = { file, line: 1, column: 1, path: '' };
    return { sources: [], problems: [problemAt(place, code, message, remedy)] };
  }
}

/** Policies of one name in two files; within one file the parser has said so. */
function repeatedAcross(loaded: readonly LoadedFile[]): readonly Problem[] {
  const seen = new Map<string, string>();
  return loaded.flatMap(({ file, source }) => {
    const { name } = source.policy;
    const earlier = seen.get(name);
    seen.set(name, earlier ?? file);
    if (earlier === undefined || earlier === file) return [];
    const message = `policy ${quote(name)} of ${quote(earlier)} has the same name`;
    return [problemAt(source.node.place, 'policy.name-repeated', message)];
  });
}

async function checkExpressions(
  loaded: readonly LoadedFile[],
  given: LoadOptions['expressions'],
): Promise<readonly Problem[]> {
  const expressions = loaded.flatMap(({ source }) => source.expressions);
  if (expressions.length === 0) return [];
  if (given !== undefined) return await expressionProblems(expressions, given);
  const { openExpressionRunner } = await import('../cel/runner.ts');
  await using runner = openExpressionRunner();
  return await expressionProblems(expressions, runner);
}
