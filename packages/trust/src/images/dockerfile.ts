import { quote, TrustFault } from '../fault/fault.ts';
import {
  type Instruction,
  parseInstruction,
  readInstructions,
  readWithoutHeredocs,
  unreadable,
} from './dockerfile-instructions.ts';
import type { NamedImage } from './named-image.ts';
import { replaceVariables, type Variables } from './variables.ts';

/** Names to which BuildKit gives values of its own, which only it knows. */
const BUILDER_ARGS = /^(?:BUILD|TARGET)(?:PLATFORM|OS|OSVERSION|ARCH|VARIANT|STAGE)$/;
const ARG_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const STAGE_NAME = /^[a-z][a-z0-9_.-]*$/;

interface Stages {
  /** Lower-case names of the stages so far, each with what runs in a stage that is built from it. */
  readonly triggers: Map<string, Instruction[]>;
  /** What the stage that is being read leaves to those that are built from it. */
  open: Instruction[];
  /** `COPY --from` and mounts may name a stage by its number as well; `FROM` may not. */
  count: number;
}

/**
 * Every image that a build from this Dockerfile pulls: the frontend of `# syntax=` or of the build
 * argument `BUILDKIT_SYNTAX`, each `FROM`, each `COPY --from` and each `RUN --mount=…,from=` that names
 * no stage, also of an `ONBUILD` in a stage that another one is built from. `scratch` and stages are
 * none. `buildArgs` are the values of `--build-arg`. A builder that knows no here-documents reads
 * more, which is found as well. Throws `images.dockerfile-malformed`, also for what builders read
 * differently, and `images.variable-unset`.
 */
export function dockerfileImages(
  text: string,
  buildArgs: Readonly<Record<string, string>> = {},
): readonly NamedImage[] {
  const { instructions, syntax } = readInstructions(text);
  const images: NamedImage[] = [];
  const frontend = givenArg('BUILDKIT_SYNTAX', buildArgs);
  if (frontend !== undefined) {
    images.push({ reference: frontend, where: 'line 1 (BUILDKIT_SYNTAX)' });
  }
  if (syntax !== null)
    images.push({ reference: syntax.image, where: `line ${syntax.line} (syntax)` });
  images.push(...instructionImages(instructions, buildArgs));
  const known = new Set(images.map(placeOf));
  const without = readWithoutHeredocs(text);
  const more = without === null ? [] : instructionImages(without, buildArgs);
  return [...images, ...more.filter((image) => !known.has(placeOf(image)))];
}

function placeOf({ reference, where }: NamedImage): string {
  return `${where} ${reference}`;
}

function instructionImages(
  instructions: readonly Instruction[],
  buildArgs: Readonly<Record<string, string>>,
): readonly NamedImage[] {
  const images: NamedImage[] = [];
  const args = new Map<string, string>();
  const stages: Stages = { triggers: new Map(), open: [], count: 0 };
  const variables = variablesOf(args, buildArgs);
  for (const instruction of instructions) {
    const where = `line ${instruction.line} (${instruction.keyword})`;
    switch (instruction.keyword) {
      case 'ARG':
        // Only what stands before the first FROM has a say in FROM lines.
        if (stages.count === 0) declareArgs(instruction, args, buildArgs, variables, where);
        break;
      case 'FROM':
        images.push(...fromImages(instruction, variables, stages, where));
        break;
      case 'ONBUILD':
        stages.open.push(parseInstruction(instruction.rest, instruction.line));
        break;
      default:
        images.push(...otherImages(instruction, stages, where));
    }
  }
  if (stages.count === 0) {
    throw new TrustFault('images.dockerfile-malformed', 'expected at least one FROM, found none');
  }
  return images;
}

function variablesOf(
  args: ReadonlyMap<string, string>,
  buildArgs: Readonly<Record<string, string>>,
): Variables {
  return (name) => {
    const value = givenArg(name, buildArgs);
    if (!BUILDER_ARGS.test(name)) return args.get(name);
    if (value !== undefined) return value;
    // Not even a default stands in: the builder has a value.
    throw new TrustFault(
      'images.variable-unset',
      `expected a value for ${quote(name)}, found none`,
    );
  };
}

function givenArg(name: string, buildArgs: Readonly<Record<string, string>>): string | undefined {
  return Object.hasOwn(buildArgs, name) ? buildArgs[name] : undefined;
}

const DECLARATION = /^([^\s=]+)(?:=("[^"\\`]*"|'[^'\\`]*'|[^\s"'\\`]*))?(?:[\t\v\f\r ]+|$)/;

/** `NAME` and `NAME=VALUE`; a value's quotes are around the whole of it. */
function declareArgs(
  { rest, line }: Instruction,
  args: Map<string, string>,
  buildArgs: Readonly<Record<string, string>>,
  variables: Variables,
  where: string,
): void {
  const here = new Set<string>();
  const known: Variables = (name) => {
    // Builders disagree on whether it has its value within the instruction that declares it.
    if (here.has(name)) throw unreadable(line, `an ARG that is declared before ${name}`, rest);
    return variables(name);
  };
  let left = rest;
  while (left !== '') {
    const [whole, name = '', value] = DECLARATION.exec(left) ?? [];
    if (whole === undefined || !ARG_NAME.test(name)) {
      throw unreadable(line, 'ARG NAME or NAME=VALUE', left);
    }
    left = left.slice(whole.length);
    const given = givenArg(name, buildArgs);
    if (given !== undefined) args.set(name, given);
    else if (value !== undefined) args.set(name, defaultOf(value, known, where));
    else if (args.has(name)) throw unreadable(line, `a value of ${name} as it had before`, rest);
    here.add(name);
  }
}

/** A single quote keeps variables from being replaced. */
function defaultOf(text: string, variables: Variables, where: string): string {
  return text.startsWith("'") ? unquote(text) : replaceVariables(unquote(text), variables, where);
}

/** The image that a stage begins with, or those behind what the stage that it begins with left to it. */
function fromImages(
  { rest, line }: Instruction,
  variables: Variables,
  stages: Stages,
  where: string,
): readonly NamedImage[] {
  const [image = '', as, name, ...more] = rest.split(/[\t\v\f\r ]+/);
  const isNamed = as?.toUpperCase() === 'AS' && name !== undefined && more.length === 0;
  if (image === '' || (as !== undefined && !isNamed)) {
    throw unreadable(line, 'FROM IMAGE [AS NAME]', rest);
  }
  const text = unquote(image);
  if (/["'`]|\\(?!\$)/.test(text)) throw unreadable(line, 'an image without quotes', image);
  const reference = replaceVariables(text, variables, where);
  const left = stages.triggers.get(reference.toLowerCase());
  stages.count += 1;
  stages.open = [];
  if (name !== undefined) {
    if (!STAGE_NAME.test(name.toLowerCase())) throw unreadable(line, 'the name of a stage', name);
    stages.triggers.set(name.toLowerCase(), stages.open);
  }
  if (left === undefined) return reference === 'scratch' ? [] : [{ reference, where }];
  return left.flatMap((trigger) =>
    otherImages(trigger, stages, `line ${trigger.line} (ONBUILD ${trigger.keyword})`),
  );
}

/** The images behind `--from=` of COPY and `from=` of a mount; later stages may be named as well. */
function otherImages(
  { keyword, flags, line }: Instruction,
  stages: Stages,
  where: string,
): readonly NamedImage[] {
  if (keyword !== 'COPY' && keyword !== 'ADD' && keyword !== 'RUN') return [];
  const froms = flags.flatMap((flag) => fromOfFlag(flag, line));
  return froms.flatMap((reference) => {
    if (reference.includes('$')) {
      throw new TrustFault(
        'images.variable-unset',
        `expected the name of an image or stage at ${where}, found ${quote(reference)}`,
      );
    }
    return isStageOf(reference, stages) ? [] : [{ reference, where }];
  });
}

function isStageOf(reference: string, { triggers, count }: Stages): boolean {
  return (
    triggers.has(reference.toLowerCase()) ||
    (/^(?:0|[1-9]\d{0,5})$/.test(reference) && Number(reference) < count)
  );
}

/** What a flag of COPY, ADD or RUN takes files from. */
function fromOfFlag(flag: string, line: number): readonly string[] {
  const [, name, value] = /^--([^=]+)(?:=([\s\S]*))?$/.exec(flag) ?? [];
  if (name !== 'from' && name !== 'mount') return [];
  // Some builders take the next word for the value.
  if (value === undefined) throw unreadable(line, `--${name}=VALUE`, flag);
  if (name === 'from') return [value];
  // A quote would make one field of several (RFC 4180).
  if (value.includes('"')) throw unreadable(line, 'a mount without quotes', flag);
  return value.split(',').flatMap((field) => {
    const [, from] = /^from=([\s\S]*)$/i.exec(field) ?? [];
    return from === undefined ? [] : [from];
  });
}

function unquote(text: string): string {
  const quoted = /^(["'])(.*)\1$/s.exec(text);
  return quoted?.[2] ?? text;
}
