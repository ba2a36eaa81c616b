import { stringify } from 'yaml';
import { printable } from '../../../fault/fault.ts';
import { formatPolicies } from '../../format.ts';
import type { ImportedPolicies } from './import.ts';
import { noteText } from './note.ts';

/**
 * The YAML of imported policies in the one form of policy files, each below the notes about what it was
 * imported from, as comments. What they name (trust roots) is named as it was.
 */
export function importedText(
  imported: readonly Pick<ImportedPolicies, 'policies' | 'notes'>[],
): string {
  const documents = imported.flatMap(({ policies, notes }) => {
    const comments = notes.map(
      (note) => `# ${printable(`${note.place.path}: ${noteText(note)}`)}\n`,
    );
    return policies.map((policy, at) => `${at === 0 ? comments.join('') : ''}${stringify(policy)}`);
  });
  return formatPolicies(documents.join('---\n'), 'imported.yaml');
}
