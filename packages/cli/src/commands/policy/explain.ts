import type { Surface } from '@bulla/trust/policy/document';
import type { Command } from 'commander';
import type { CliContext } from '../../context.ts';
import { type DecidingFlags, openDecider } from '../../options/decisions.ts';
import {
  addExceptionOption,
  type ExceptionFlags,
  namedExceptions,
} from '../../options/exceptions.ts';
import { outputOption } from '../../options/output.ts';
import { addPolicyOptions, namedPolicies } from '../../options/policy.ts';
import { addRegistryOptions } from '../../options/registry.ts';
import { decisionExit } from '../../output/decision.ts';
import { painter } from '../../output/findings.ts';
import { jsonText } from '../../output/json.ts';

interface ExplainFlags extends DecidingFlags, ExceptionFlags {
  readonly output: 'text' | 'json';
}

const SURFACES = [
  'pull',
  'admission',
  'gate',
  'node',
  'watch',
] as const satisfies readonly Surface[];

/** `bulla policy explain IMAGE`: the whole tree, what each policy is about, and what is missing. */
export function configureExplain(policy: Command, context: CliContext): void {
  const command = policy.command('explain');
  addExceptionOption(
    addPolicyOptions(
      command
        .description(
          'show how policies decide about an image, and what it lacks when they refuse it',
        )
        .argument('<image>', 'REGISTRY/NAME[:TAG|@DIGEST], or oci:PATH[:REF]'),
    ),
  )
    .addOption(
      command
        .createOption('--surface <name>', 'the place that asks')
        .choices([...SURFACES])
        .default('gate'),
    )
    .option('--namespace <name>', 'the namespace that asks')
    .option('--platform <os/arch>', 'the one platform of a multi-arch image that matters')
    .addOption(outputOption(command));
  addRegistryOptions(command).action(async (reference: string, flags: ExplainFlags) => {
    const { set } = await namedPolicies(flags, context);
    const exceptions = await namedExceptions(flags, context);
    await using decider = openDecider(set, flags, context, exceptions);
    const { decision } = await decider.decideImage({ reference, where: null });
    const explaining = await import('@bulla/trust/policy/explain/explanation');
    const explanation = explaining.explain(decision, set);
    context.exit.note(decisionExit(decision));
    if (flags.output === 'json') {
      context.out(jsonText(explaining.explanationJson(explanation)));
      return;
    }
    const paint = painter(context);
    for (const line of explaining.renderExplanation(explanation, { paint })) context.out(line);
  });
}
