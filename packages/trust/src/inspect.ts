import { remedyOf } from './finding/render-text.ts';
import { FORMATS } from './formats/list.ts';
import { type Explanation, explain } from './inspect/explanation.ts';
import { explainEvidence } from './inspect/signature.ts';
import { type InventoryOptions, takeInventory } from './inventory.ts';
import type { ArtifactSource } from './oci/store.ts';

/**
 * What each signature and attestation of one artifact says, in the order of the formats; other
 * things that are attached, and buildx claims of an index, are named. Nothing of it is verified.
 * Throws as `takeInventory`; what cannot be read is `malformed` where it stands, what cannot be had
 * from the registry is `unreachable`.
 */
export async function inspectArtifact(
  source: ArtifactSource,
  tagOrDigest: string,
  options: InventoryOptions = {},
): Promise<Explanation> {
  const node = await takeInventory(source, tagOrDigest, { ...options, children: false });
  const found = await Promise.all(
    FORMATS.map((format) => format.find(source, node.digest, options)),
  );
  const problems = found.flatMap((part) => part.problems);
  const others = node.attached.filter(
    ({ format }) => !FORMATS.some((known) => known.name === format),
  );
  return explain(
    'artifact',
    {
      digest: node.digest,
      mediaType: node.mediaType,
      artifactType: node.artifactType,
      referrers: node.referrersBy === 'api' ? 'by the referrers API' : 'by the fallback tag',
    },
    [
      ...found.flatMap((part) => part.evidence.map(explainEvidence)),
      ...others.map(({ kind, artifactType, digest, tag }) =>
        explain(kind, { artifactType, digest, tag }),
      ),
      ...node.claims.map(({ digest, about, predicateTypes }) =>
        explain('build-claim', {
          predicateTypes,
          about,
          digest,
          signed: 'no: only the index’s signature covers it',
        }),
      ),
      ...problems.map((finding) =>
        explain(finding.outcome === 'inconclusive' ? 'unreachable' : 'malformed', {
          what: finding.check,
          code: finding.code,
          reason: finding.says,
          remedy: remedyOf(finding),
        }),
      ),
    ],
  );
}
