import type { YamlNode } from '@bulla/trust/bytes/yaml/node';
import { parseYamlDocuments } from '@bulla/trust/bytes/yaml/parse';
import { hasErrors, type Problem, problemAt, problemLine } from '@bulla/trust/bytes/yaml/problem';
import { codeEntry } from '@bulla/trust/fault/codes';
import { printable, TrustFault } from '@bulla/trust/fault/fault';
import {
  type ImportedPolicies,
  importClusterImagePolicy,
} from '@bulla/trust/policy/import/cluster-image-policy/import';
import { type ImportNote, noteText } from '@bulla/trust/policy/import/cluster-image-policy/note';
import { isClusterImagePolicy } from '@bulla/trust/policy/import/cluster-image-policy/parse';
import { importedText } from '@bulla/trust/policy/import/cluster-image-policy/text';
import { parsePolicies } from '@bulla/trust/policy/parse';
import type { Command } from 'commander';
import type { CliContext } from '../../context.ts';
import { readFileBounded } from '../../options/files.ts';
import { outputOption } from '../../options/output.ts';
import { jsonText } from '../../output/json.ts';

interface ImportFlags {
  readonly output: 'text' | 'json';
}

const MAX_POLICY_BYTES = 1 << 20;

/** `bulla policy import FILE…`: prints the TrustPolicies that policies of another tool come to. */
export function configureImport(policy: Command, context: CliContext): void {
  const command = policy.command('import');
  command
    .description('print the policies that ClusterImagePolicies of sigstore come to')
    .argument('<file...>', 'files of ClusterImagePolicy documents; - reads one')
    .addOption(outputOption(command))
    .addHelpText(
      'after',
      `
What cannot be expressed refuses, and is listed with its place: on stderr, and as comments above each
policy. Exit code 1 says that there is such a clause, 2 that a document is wrong; then nothing is
printed. Policy folders hold ClusterImagePolicies as they are: importing them is for looking at the
result, or for going on with it.`,
    )
    .action(async (files: readonly string[], flags: ImportFlags) => {
      const imported: ImportedPolicies[] = [];
      const problems: Problem[] = [];
      for (const file of files) {
        const bytes = await readFileBounded(file, MAX_POLICY_BYTES, context.signal);
        const read = importFile(bytes, file);
        imported.push(...read.imported);
        problems.push(...read.problems);
      }
      const text = hasErrors(problems) ? '' : importedText(imported);
      if (text !== '') problems.push(...parsePolicies(Buffer.from(text), 'the result').problems);
      const errors = problems.filter(({ severity }) => severity === 'error');
      if (errors.length > 0) {
        refuse(errors, context);
        return;
      }
      const notes = imported.flatMap((one) => one.notes);
      if (notes.some(({ effect }) => effect !== 'same')) context.exit.note(1);
      if (flags.output === 'json') context.out(jsonText(documentOf(imported, notes)));
      else {
        for (const note of notes) context.err(lineOf(note));
        context.out(text.trimEnd());
      }
    });
}

function importFile(
  bytes: Uint8Array,
  file: string,
): { readonly imported: readonly ImportedPolicies[]; readonly problems: readonly Problem[] } {
  const { documents, problems } = parseYamlDocuments(bytes, file, 'policy.malformed');
  if (documents.length === 0 && !hasErrors(problems)) {
    throw new TrustFault(
      'policy.malformed',
      `expected a ClusterImagePolicy in ${file}, found none`,
    );
  }
  const imported = documents.filter(isClusterImagePolicy).map(importClusterImagePolicy);
  return {
    imported,
    problems: [
      ...problems,
      ...documents.filter((node) => !isClusterImagePolicy(node)).map(foreign),
      ...imported.flatMap((one) => one.problems),
    ],
  };
}

function foreign({ place }: YamlNode): Problem {
  const expected = 'kind: ClusterImagePolicy of policy.sigstore.dev/v1alpha1 or /v1beta1';
  return problemAt(place, 'policy.malformed', `expected a document of ${expected}, found another`);
}

function refuse(errors: readonly Problem[], context: CliContext): void {
  for (const problem of errors) {
    context.err(problemLine(problem));
    context.exit.note(codeEntry(problem.code).exit);
  }
}

function lineOf(note: ImportNote): string {
  const { file, line, column, path } = note.place;
  return printable(`${file}:${line}:${column}: ${noteText(note)} at ${path}`);
}

function documentOf(imported: readonly ImportedPolicies[], notes: readonly ImportNote[]): object {
  return {
    schema: 'https://bulla.dev/schemas/policy-import/v1',
    exact: notes.every(({ effect }) => effect === 'same'),
    policies: imported.flatMap(({ policies }) => policies),
    notes: notes.map(({ place, what, why, effect }) => ({ what, why, effect, ...place })),
  };
}
