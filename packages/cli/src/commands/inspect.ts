import { stat } from 'node:fs/promises';
import { printable, quote, TrustFault } from '@bulla/trust/fault/fault';
import { type Explanation, troublesOf } from '@bulla/trust/inspect/explanation';
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { outputOption } from '../options/output.ts';
import { addRegistryOptions, type RegistryFlags, registryOptions } from '../options/registry.ts';
import { workSignal } from '../options/work-signal.ts';
import { type Drawn, drawTree, leaf } from '../output/drawing.ts';
import { jsonText } from '../output/json.ts';

interface InspectFlags extends RegistryFlags {
  readonly output: 'text' | 'json';
}

/** The line that no output of `inspect` is without. */
const NOTE = 'nothing of this is verified: `bulla verify` does that';

/** `bulla inspect IMAGE|FILE`: what signatures and bundles say, without judging them. */
export function configure(command: Command, context: CliContext): void {
  command
    .argument('<image-or-file>', 'a file that is there (- for standard input), else an image')
    .addOption(outputOption(command));
  addRegistryOptions(command).action(async (name: string, flags: InspectFlags) => {
    const explanation = (await isFile(name))
      ? await inspectFile(name, context)
      : await inspectImage(name, flags, context);
    const troubles = troublesOf(explanation);
    if (troubles.has('malformed')) context.exit.note(1);
    if (troubles.has('unreachable')) context.exit.note(3);
    if (flags.output === 'json') {
      const schema = 'https://bulla.dev/schemas/inspect/v1';
      const document = { schema, name, verified: false, note: NOTE, explanation };
      context.out(jsonText(document));
      return;
    }
    for (const line of drawTree(draw(explanation))) context.out(line);
    context.out(NOTE);
  });
}

async function isFile(name: string): Promise<boolean> {
  if (name === '-') return true;
  try {
    return (await stat(name)).isFile();
  } catch {
    // Whatever keeps it from being looked at: then it is no file that could be read.
    return false;
  }
}

/** No image is named so: a file that is missing must not be looked for in a registry. */
function mustBeImage(name: string): void {
  if (!/^[./~]|\\/.test(name)) return;
  throw new TrustFault('usage.file', `there is no file ${quote(name)}`);
}

async function inspectFile(path: string, { signal }: CliContext): Promise<Explanation> {
  const [{ explainFile, MAX_INSPECTED_BYTES }, { readFileBounded }] = await Promise.all([
    import('@bulla/trust/inspect/file'),
    import('../options/files.ts'),
  ]);
  return explainFile(await readFileBounded(path, MAX_INSPECTED_BYTES, signal), path);
}

async function inspectImage(
  image: string,
  flags: InspectFlags,
  context: CliContext,
): Promise<Explanation> {
  mustBeImage(image);
  const [{ inspectArtifact }, { openStore }, { parseReference, tagOrDigest }, evidence] =
    await Promise.all([
      import('@bulla/trust/inspect'),
      import('@bulla/trust/oci/open'),
      import('@bulla/trust/oci/reference'),
      import('../options/evidence-source.ts'),
    ]);
  const reference = parseReference(image);
  const registry = registryOptions(flags, context);
  const source = await openStore(reference, registry);
  const evidenceSource = await evidence.relocatedEvidence(context, registry);
  return inspectArtifact(source, tagOrDigest(reference), {
    signal: workSignal(flags, context),
    ...(evidenceSource === null ? {} : { evidenceSource }),
  });
}

function draw({ kind, facts, parts }: Explanation): Drawn {
  const width = Math.max(0, ...Object.keys(facts).map((name) => name.length));
  const lines = Object.entries(facts).flatMap(([name, fact]) => {
    const label = name.padEnd(width);
    if (typeof fact === 'string') return [leaf(`${label}  ${printable(fact)}`)];
    const [first = '', ...rest] = fact;
    return [first, ...rest].map((text, index) =>
      leaf(`${index === 0 ? label : ' '.repeat(width)}  ${printable(text)}`),
    );
  });
  return { line: kind, below: [...lines, ...parts.map(draw)] };
}
