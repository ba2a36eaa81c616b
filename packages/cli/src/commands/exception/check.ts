import { codeEntry } from '@bulla/trust/fault/codes';
import { printable, quote, TrustFault } from '@bulla/trust/fault/fault';
import type { ExceptionRefusal } from '@bulla/trust/policy/exceptions/acceptance';
import type { Command } from 'commander';
import type { CliContext } from '../../context.ts';
import { readException } from '../../options/exceptions.ts';
import { outputOption } from '../../options/output.ts';
import { addPolicyOptions, namedPolicies, type PolicyFlags } from '../../options/policy.ts';
import { jsonText } from '../../output/json.ts';

interface CheckFlags extends PolicyFlags {
  readonly output: 'text' | 'json';
}

/** `bulla exception check FILE --policy PATH`: whether the policies that it names accept it now. */
export function configureCheck(exception: Command, context: CliContext): void {
  const command = exception.command('check');
  addPolicyOptions(command)
    .description('say whether the policies that an exception names accept it now, and why not')
    .argument('<file>', 'the exception; - reads it')
    .addOption(outputOption(command))
    .action(async (file: string, flags: CheckFlags) => {
      const { set } = await namedPolicies(flags, context);
      const document = await readException(file, context);
      const { checkException } = await import('@bulla/trust/policy/exceptions/check');
      const checked: Checked[] = [];
      for (const { policy: name } of document.exception.lifts) {
        const policy = set.policies.find((one) => one.document.name === name);
        if (policy === undefined) throw missing(name, flags);
        // What a file says is recorded nowhere.
        const given = { document, recorded: false };
        checked.push({
          policy: name,
          refused: await checkException(given, policy, context.clock()),
        });
      }
      for (const { refused } of checked) {
        if (refused !== null) context.exit.note(codeEntry(refused.code).exit);
      }
      if (flags.output === 'json') context.out(jsonText(documentOf(document.id, checked)));
      else for (const one of checked) context.out(lineOf(one));
    });
}

interface Checked {
  readonly policy: string;
  readonly refused: ExceptionRefusal | null;
}

function missing(name: string, { policy }: PolicyFlags): TrustFault {
  return new TrustFault(
    'usage.invalid',
    `the exception names the policy ${quote(name)}, which is not in ${policy.join(', ')}`,
    'Give --policy with the file that holds it.',
  );
}

function lineOf({ policy, refused }: Checked): string {
  return refused === null
    ? `ok: policy ${policy} accepts it`
    : `policy ${policy} does not accept it: ${printable(refused.says)}  [${refused.code}]`;
}

function documentOf(id: string, checked: readonly Checked[]): object {
  return {
    schema: 'https://bulla.dev/schemas/exception-check/v1',
    id,
    ok: checked.every(({ refused }) => refused === null),
    policies: checked.map(({ policy, refused }) => ({
      policy,
      accepted: refused === null,
      code: refused?.code ?? null,
      says: refused?.says ?? null,
    })),
  };
}
