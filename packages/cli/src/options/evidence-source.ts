import { openStore } from '@bulla/trust/oci/open';
import { parseReference } from '@bulla/trust/oci/reference';
import type { RegistryOptions } from '@bulla/trust/oci/registry/options';
import type { ArtifactTarget } from '@bulla/trust/oci/store';
import type { CliContext } from '../context.ts';

/** The repository that `COSIGN_REPOSITORY` names, in which signatures lie; null without it. */
export async function relocatedEvidence(
  context: CliContext,
  registry: RegistryOptions,
): Promise<ArtifactTarget | null> {
  const name = context.env['COSIGN_REPOSITORY'];
  if (name === undefined || name === '') return null;
  return openStore(parseReference(name), registry);
}
