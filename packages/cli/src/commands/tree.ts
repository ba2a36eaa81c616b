import { printable } from '@bulla/trust/fault/fault';
import { type ArtifactNode, takeInventory } from '@bulla/trust/inventory';
import type { Attachment } from '@bulla/trust/inventory/attached';
import type { BuildClaim } from '@bulla/trust/inventory/build-claim';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference, tagOrDigest } from '@bulla/trust/oci/reference';
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { relocatedEvidence } from '../options/evidence-source.ts';
import { outputOption } from '../options/output.ts';
import { addRegistryOptions, type RegistryFlags, registryOptions } from '../options/registry.ts';
import { workSignal } from '../options/work-signal.ts';
import { type Drawn, drawTree, leaf } from '../output/drawing.ts';
import { jsonText } from '../output/json.ts';

interface TreeFlags extends RegistryFlags {
  readonly output: 'text' | 'json';
}

/** The line that no output of `tree` is without. */
const NOTE = 'nothing of this is verified: `bulla verify` does that';

/** `bulla tree IMAGE`: the artifact, its children, and everything attached to each. */
export function configure(command: Command, context: CliContext): void {
  command
    .argument('<image>', 'REGISTRY/NAME[:TAG|@DIGEST] or oci:PATH[:REF|@DIGEST]')
    .addOption(outputOption(command));
  addRegistryOptions(command).action(async (image: string, flags: TreeFlags) => {
    const reference = parseReference(image);
    const registry = registryOptions(flags, context);
    const source = await openStore(reference, registry);
    const evidenceSource = await relocatedEvidence(context, registry);
    const root = await takeInventory(source, tagOrDigest(reference), {
      signal: workSignal(flags, context),
      ...(evidenceSource === null ? {} : { evidenceSource }),
    });
    if (flags.output === 'json') {
      const schema = 'https://bulla.dev/schemas/tree/v1';
      const document = { schema, artifact: source.name, verified: false, note: NOTE, root };
      context.out(jsonText(document));
      return;
    }
    const ways = reference.kind === 'layout' ? LAYOUT_WAYS : REGISTRY_WAYS;
    for (const line of drawTree(drawNode(root, source.name, ways))) context.out(line);
    context.out(NOTE);
  });
}

type Ways = Readonly<Record<ArtifactNode['referrersBy'], string>>;

const REGISTRY_WAYS: Ways = { api: 'the referrers API', tag: 'the fallback tag' };
const LAYOUT_WAYS: Ways = { api: 'the layout’s index', tag: 'the fallback tag' };

function drawNode(node: ArtifactNode, name: string, ways: Ways): Drawn {
  const isNamed = node.platform === null;
  const label = isNamed
    ? `${printable(name)}@${node.digest}`
    : `${printable(node.platform)}  ${node.digest}`;
  const type = node.artifactType === null ? node.kind : printable(node.artifactType);
  return {
    line: `${label}  ${type}`,
    below: [
      ...node.attached.map((attachment) => drawAttachment(attachment, ways[node.referrersBy])),
      ...(node.attached.length === 0
        ? [leaf(`nothing attached (looked for by ${ways[node.referrersBy]} and cosign's tags)`)]
        : []),
      ...node.problems.map((problem) => leaf(`broken  ${printable(problem)}`)),
      ...node.children.map((child) => drawNode(child, name, ways)),
      ...node.claims.map(drawClaim),
    ],
  };
}

function drawAttachment(attachment: Attachment, way: string): Drawn {
  const { kind, format, artifactType, predicateTypes, count, tag, digest, problem } = attachment;
  const what = [
    ...(format === null ? [] : [format]),
    ...(format === null && artifactType !== null ? [artifactType] : []),
    ...predicateTypes,
    ...(count > 1 ? [`${count} of them`] : []),
    ...(problem === null ? [] : [`broken: ${problem}`]),
  ];
  const where = tag === null ? `by ${way}` : `tag ${tag}`;
  return {
    line: `${kind.padEnd(11)}  ${printable(what.join('  '))}  ${digest}  (${where})`,
    below: attachment.attached.map((inner) => drawAttachment(inner, way)),
  };
}

function drawClaim({ digest, about, predicateTypes, problem }: BuildClaim): Drawn {
  const types = predicateTypes.length === 0 ? 'no predicate type' : predicateTypes.join('  ');
  const subject = about === null ? '' : ` about ${about}`;
  const trouble = problem === null ? '' : `  broken: ${problem}`;
  return leaf(
    `${printable(`claim        ${types}  ${digest}${subject}${trouble}`)}  (unsigned, by the builder: only the index's signature covers it)`,
  );
}
