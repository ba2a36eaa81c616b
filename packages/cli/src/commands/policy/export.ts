import { printable, quote, TrustFault } from '@bulla/trust/fault/fault';
import type { Surface } from '@bulla/trust/policy/document';
import type { ExportedFiles } from '@bulla/trust/policy/export/containers-policy/export';
import { type ExportNote, exportNoteText } from '@bulla/trust/policy/export/note';
import type { NameAlias } from '@bulla/trust/policy/names';
import type { PolicySet } from '@bulla/trust/policy/policy-set';
import type { Command } from 'commander';
import type { CliContext } from '../../context.ts';
import { writeFolder } from '../../options/folder.ts';
import { outputOption } from '../../options/output.ts';
import {
  addPolicyOptions,
  namedAliases,
  namedPolicies,
  type PolicyFlags,
} from '../../options/policy.ts';
import { collect } from '../../options/repeatable.ts';
import { jsonText } from '../../output/json.ts';

interface ExportFlags extends Omit<PolicyFlags, 'namespace'> {
  readonly format: 'containers-policy' | 'openshift';
  readonly folder: string;
  readonly surface: Surface;
  readonly namespace: readonly string[];
  readonly keyLists: boolean;
  readonly output: 'text' | 'json';
}

/** `bulla policy export`: writes the policies as files of other tools, never looser. */
export function configureExport(policy: Command, context: CliContext): void {
  const command = policy.command('export');
  command
    .description('write policies as files of podman, skopeo, CRI-O or OpenShift')
    .addOption(
      command
        .createOption('--format <format>', 'whose files')
        .choices(['containers-policy', 'openshift'])
        .makeOptionMandatory(),
    )
    .requiredOption('--folder <folder>', 'where to write them; it must be empty or not there yet')
    .addOption(
      command
        .createOption('--surface <surface>', 'whose policies: those that cover this surface')
        .choices(['pull', 'admission', 'gate', 'node', 'watch'])
        .default('node'),
    )
    .addOption(
      command
        .createOption(
          '--namespace <name>',
          'a namespace that CRI-O gets a file of its own for (repeatable)',
        )
        .argParser(collect)
        .default([], 'none'),
    )
    .option('--no-key-lists', 'for containers/image before 5.33, which knows no lists of keys');
  addPolicyOptions(command)
    .addOption(outputOption(command))
    .addHelpText(
      'after',
      `
What the files cannot say refuses there, and is listed. Exit code 1 says that there is such a clause,
or that the files cover more names; 0 that they decide alike. Each --alias is a mirror, and gets its
entry in registries.d.`,
    )
    .action(async (flags: ExportFlags) => {
      const { namespace: namespaces, ...rest } = flags;
      requireNamespaces(namespaces);
      const { set } = await namedPolicies(rest, context);
      const { files, notes } = await exported(set, flags, namedAliases(rest), context);
      await writeFolder(flags.folder, files);
      if (notes.length > 0) context.exit.note(1);
      if (flags.output === 'json') {
        context.out(jsonText(documentOf(flags, files, notes)));
        return;
      }
      for (const note of notes) context.err(printable(exportNoteText(note)));
      for (const path of files.keys()) context.out(`${flags.folder}/${path}`);
    });
}

/** They become names of files. */
function requireNamespaces(namespaces: readonly string[]): void {
  const wrong = namespaces.find((name) => !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name));
  if (wrong === undefined) return;
  throw new TrustFault('usage.invalid', `expected a namespace, found ${quote(wrong)}`);
}

async function exported(
  { policies }: PolicySet,
  flags: ExportFlags,
  mirrors: readonly NameAlias[],
  context: CliContext,
): Promise<ExportedFiles> {
  const { surface, keyLists, namespace: namespaces } = flags;
  const environment = flags.environment ?? null;
  const place = { surface, namespace: null, environment, at: context.clock() };
  if (flags.format === 'openshift') {
    const { exportOpenShift } = await import('@bulla/trust/policy/export/openshift/export');
    return exportOpenShift(policies, place);
  }
  const { exportContainersPolicy } = await import(
    '@bulla/trust/policy/export/containers-policy/export'
  );
  return exportContainersPolicy(policies, place, { mirrors, namespaces, keyLists });
}

function documentOf(
  { folder, format }: ExportFlags,
  files: ReadonlyMap<string, string>,
  notes: readonly ExportNote[],
): object {
  return {
    schema: 'https://bulla.dev/schemas/policy-export/v1',
    format,
    exact: notes.length === 0,
    files: [...files.keys()].map((path) => `${folder}/${path}`),
    notes,
  };
}
