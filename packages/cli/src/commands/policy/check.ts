import { type Problem, problemLine } from '@bulla/trust/bytes/yaml/problem';
import { codeEntry } from '@bulla/trust/fault/codes';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { PolicySet } from '@bulla/trust/policy/policy-set';
import type { Command } from 'commander';
import type { CliContext } from '../../context.ts';
import { outputOption } from '../../options/output.ts';
import { namedTrustRoots, trustRootOption } from '../../options/policy.ts';
import { jsonText } from '../../output/json.ts';

interface CheckFlags {
  readonly trustRoot: readonly string[];
  readonly output: 'text' | 'json';
}

/** `bulla policy check PATH…`: every mistake of the policies and of what they name, one a line. */
export function configureCheck(policy: Command, context: CliContext): void {
  const command = policy.command('check');
  command
    .description('list every mistake of policies and of the keys and trust roots that they name')
    .argument('<path...>', 'files, and folders of *.yaml, *.yml and *.json')
    .addOption(trustRootOption(command))
    .addOption(outputOption(command))
    .action(async (paths: readonly string[], flags: CheckFlags) => {
      const { checkPolicies } = await import('@bulla/trust/policy/files/load');
      const trustRoots = await namedTrustRoots(flags, context);
      const { set, problems } = await checkPolicies(paths, { trustRoots });
      for (const { severity, code } of problems) {
        if (severity === 'error') context.exit.note(codeEntry(code).exit);
      }
      // Nothing is never enough: who checks the wrong folder is told so, and not `ok`.
      if (set?.policies.length === 0) throw noPolicy(paths);
      if (flags.output === 'json') context.out(jsonText(documentOf(set, problems)));
      else printText(set, problems, context);
    });
}

function noPolicy(paths: readonly string[]): TrustFault {
  return new TrustFault(
    'usage.file',
    `expected a policy, found no *.yaml, *.yml or *.json in ${paths.map(quote).join(', ')}`,
    'Name the files or folders that hold the policies; `bulla policy init` writes one.',
  );
}

function printText(set: PolicySet | null, problems: readonly Problem[], context: CliContext): void {
  for (const problem of problems) context.out(problemLine(problem));
  if (set === null) return;
  const count = set.policies.length;
  context.out(`ok: ${count} ${count === 1 ? 'policy' : 'policies'}, ${set.hash}`);
}

function documentOf(set: PolicySet | null, problems: readonly Problem[]): object {
  return {
    schema: 'https://bulla.dev/schemas/policy-check/v1',
    ok: set !== null,
    hash: set?.hash ?? null,
    trustRootVersion: set?.trustRootVersion ?? null,
    policies: (set?.policies ?? []).map(({ document, hash }) => ({
      name: document.name,
      mode: document.mode,
      hash,
    })),
    problems: problems.map(({ severity, code, message, remedy, place }) => ({
      severity,
      code,
      message,
      remedy,
      ...place,
    })),
  };
}
