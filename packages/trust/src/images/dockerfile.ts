import { quote, TrustFault } from '../fault/fault.ts';
import { type Instruction, readInstructions } from './dockerfile-instructions.ts';
import type { NamedImage } from './named-image.ts';
import { replaceVariables, type Variables } from './variables.ts';

/** Names that BuildKit knows in `FROM --platform` and in image names without an ARG. */
const PLATFORM_ARGS = /^(?:BUILD|TARGET)(?:PLATFORM|OS|ARCH|VARIANT)$/;

interface Stages {
  /** Lower-case names of the stages so far; a number names one as well. */
  readonly names: Set<string>;
  count: number;
}

/**
 * Every image that a build from this Dockerfile pulls: the frontend of `# syntax=`, each `FROM`, each
 * `COPY --from` and each `RUN --mount=…,from=` that names no stage. `scratch` and stages are none.
 * `buildArgs` are the values of `--build-arg`. Throws `images.dockerfile-malformed`,
 * `images.variable-unset`.
 */
export function dockerfileImages(
  text: string,
  buildArgs: Readonly<Record<string, string>> = {},
): readonly NamedImage[] {
  const { instructions, syntax } = readInstructions(text);
  const images: NamedImage[] = [];
  if (syntax !== null)
    images.push({ reference: syntax.image, where: `line ${syntax.line} (syntax)` });
  const args = new Map<string, string>();
  const stages: Stages = { names: new Set(), count: 0 };
  const variables: Variables = (name) => args.get(name) ?? platformArg(name, buildArgs);
  for (const instruction of instructions) {
    const where = `line ${instruction.line} (${instruction.keyword})`;
    switch (instruction.keyword) {
      case 'ARG':
        // Only what stands before the first FROM has a say in FROM lines.
        if (stages.count === 0) declareArgs(instruction, args, buildArgs, variables, where);
        break;
      case 'FROM': {
        const image = fromImage(instruction, variables, stages, where);
        if (image !== null) images.push({ reference: image, where });
        break;
      }
      default:
        images.push(...otherImages(instruction, stages, where));
    }
  }
  if (stages.count === 0) {
    throw new TrustFault('images.dockerfile-malformed', 'expected at least one FROM, found none');
  }
  return images;
}

function platformArg(
  name: string,
  buildArgs: Readonly<Record<string, string>>,
): string | undefined {
  // A platform never decides which repository is pulled unless the file makes it so.
  return PLATFORM_ARGS.test(name) ? buildArgs[name] : undefined;
}

function declareArgs(
  { words }: Instruction,
  args: Map<string, string>,
  buildArgs: Readonly<Record<string, string>>,
  variables: Variables,
  where: string,
): void {
  for (const word of words) {
    const equals = word.indexOf('=');
    const name = equals === -1 ? word : word.slice(0, equals);
    const given = buildArgs[name];
    if (given !== undefined) args.set(name, given);
    else if (equals !== -1) {
      args.set(name, replaceVariables(unquote(word.slice(equals + 1)), variables, where));
    }
  }
}

function fromImage(
  { words }: Instruction,
  variables: Variables,
  stages: Stages,
  where: string,
): string | null {
  const [image, as, name] = words.filter((word) => !word.startsWith('--'));
  if (
    image === undefined ||
    (as !== undefined && (as.toUpperCase() !== 'AS' || name === undefined))
  ) {
    throw new TrustFault(
      'images.dockerfile-malformed',
      `expected FROM IMAGE [AS NAME] at ${where}, found ${quote(words.join(' '))}`,
    );
  }
  const reference = replaceVariables(unquote(image), variables, where);
  const isStage = stages.names.has(reference.toLowerCase());
  stages.names.add(String(stages.count));
  stages.count += 1;
  if (name !== undefined) stages.names.add(name.toLowerCase());
  return isStage || reference.toLowerCase() === 'scratch' ? null : reference;
}

/** The images behind `--from=` of COPY and `from=` of a mount; later stages may be named as well. */
function otherImages(
  { keyword, flags }: Instruction,
  stages: Stages,
  where: string,
): readonly NamedImage[] {
  const froms =
    keyword === 'COPY' || keyword === 'ADD'
      ? flags.flatMap((flag) => valueOfFlag(flag, '--from='))
      : flags
          .flatMap((flag) => valueOfFlag(flag, '--mount='))
          .flatMap((mount) => mount.split(',').flatMap((part) => valueOfFlag(part, 'from=')));
  return froms.flatMap((from) => {
    const reference = unquote(from);
    if (reference.includes('$')) {
      throw new TrustFault(
        'images.variable-unset',
        `expected the name of an image or stage at ${where}, found ${quote(reference)}`,
      );
    }
    return stages.names.has(reference.toLowerCase()) ? [] : [{ reference, where }];
  });
}

function valueOfFlag(text: string, prefix: string): readonly string[] {
  return text.startsWith(prefix) ? [text.slice(prefix.length)] : [];
}

function unquote(text: string): string {
  const quoted = /^(["'])(.*)\1$/s.exec(text);
  return quoted?.[2] ?? text;
}
