import { randomUUID } from 'node:crypto';
import { examineRegistry } from '@bulla/trust/doctor';
import { printable, quote, TrustFault } from '@bulla/trust/fault/fault';
import { exitCodeOf } from '@bulla/trust/finding/verdict';
import { parseReference, parseRegistryHost } from '@bulla/trust/oci/reference';
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { outputOption } from '../options/output.ts';
import { addRegistryOptions, type RegistryFlags, registryOptions } from '../options/registry.ts';
import { workSignal } from '../options/work-signal.ts';
import { printFindings } from '../output/findings.ts';
import { jsonText } from '../output/json.ts';

interface DoctorFlags extends RegistryFlags {
  readonly write?: true;
  readonly repair?: true;
  readonly output: 'text' | 'json';
}

/** `bulla doctor registry`: what a registry can, and whether its lists of referrers are whole. */
export function configure(command: Command, context: CliContext): void {
  const registry = command
    .command('registry <registry[/repository]>')
    .description('examine a registry, and the lists of referrers in a repository')
    .option('--write', 'also write, move and delete the tag bulla-doctor')
    .option('--repair', 'mend lists of referrers: add what is missing, drop what leads nowhere')
    .addOption(outputOption(command));
  addRegistryOptions(registry).action(async (name: string, flags: DoctorFlags) => {
    const place = parsePlace(name);
    if (flags.repair === true && place.repository === null) {
      throw new TrustFault('usage.invalid', '--repair mends one repository, and none was named');
    }
    const { finding, repaired } = await examineRegistry({
      ...place,
      registryOptions: registryOptions(flags, context),
      writeAs: flags.write === true ? randomUUID() : null,
      repair: flags.repair === true,
      signal: workSignal(flags, context),
    });
    context.exit.note(exitCodeOf(finding));
    if (flags.output === 'json') {
      const { findingJson } = await import('@bulla/trust/finding/render-json');
      const schema = 'https://bulla.dev/schemas/doctor/v1';
      const document = { schema, ...place, repaired, finding: findingJson(finding) };
      context.out(jsonText(document));
      return;
    }
    for (const what of repaired) context.out(`repaired: ${printable(what)}`);
    printFindings(finding, context);
  });
}

/** A host alone, or a repository; a tag or digest means nothing here. */
function parsePlace(name: string): {
  readonly registry: string;
  readonly repository: string | null;
} {
  if (!name.includes('/')) return { registry: parseRegistryHost(name), repository: null };
  const reference = parseReference(name);
  if (
    reference.kind === 'layout' ||
    reference.tag !== undefined ||
    reference.digest !== undefined
  ) {
    throw new TrustFault(
      'usage.invalid',
      `expected REGISTRY or REGISTRY/NAME, found ${quote(name)}`,
    );
  }
  return { registry: reference.registry, repository: reference.repository };
}
