import { TrustFault } from '@bulla/trust/fault/fault';
import { type Digest, isDigest } from '@bulla/trust/oci/digest';
import { parseReference } from '@bulla/trust/oci/reference';
import { nameReader } from '@bulla/trust/policy/names';
import type { Command } from 'commander';
import { namedAliases } from './policy.ts';
import { collect } from './repeatable.ts';

/** The options by which an image is named, as commander gives them. */
export interface SubjectFlags {
  readonly alias: readonly string[];
  readonly wholeRepository?: true;
}

/** Declares `<image>`, `--alias` and `--whole-repository`. */
export function subjectOptions(command: Command): Command {
  return command
    .argument('<image>', 'REGISTRY/NAME@DIGEST; with --whole-repository REGISTRY/NAME')
    .addOption(
      command
        .createOption('--alias <from=to>', 'a mirror and what it stands for (repeatable)')
        .argParser(collect)
        .default([], 'none'),
    )
    .option(
      '--whole-repository',
      'for every image of the repository, where the policy allows that',
    );
}

/**
 * The digest, or the whole repository, that an exception is asked for. A tag is nothing that could be
 * approved: it leads elsewhere tomorrow. Throws `usage.invalid`, `reference.malformed`.
 */
export function exceptionSubject(
  image: string,
  flags: SubjectFlags,
): { readonly repository: string; readonly digest: Digest | null } {
  const reference = parseReference(image);
  const repository = nameReader(namedAliases(flags))(reference);
  const { digest, tag } = reference;
  if (flags.wholeRepository === true) {
    if (digest === undefined && tag === undefined) return { repository, digest: null };
    throw new TrustFault(
      'usage.invalid',
      '--whole-repository is for a name without tag and digest',
      'Name the repository alone, or leave the option out.',
    );
  }
  if (digest !== undefined && isDigest(digest)) return { repository, digest };
  throw new TrustFault(
    'usage.invalid',
    'an exception is for one digest',
    'Name the image as REGISTRY/NAME@sha256:…; `bulla tree IMAGE` prints it.',
  );
}
