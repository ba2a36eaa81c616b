import { printable } from '@bulla/trust/fault/fault';
import type { Change, ChangeReason } from '@bulla/trust/policy/impact/compare';
import { changeGroups } from '@bulla/trust/policy/impact/groups';
import type { CliContext } from '../context.ts';
import { jsonText } from './json.ts';

/** What came of one image, or of decisions about it that came out alike. */
export interface SimulatedImage {
  readonly reference: string;
  readonly repository: string;
  readonly digest: string | null;
  readonly surface: string;
  readonly namespace: string | null;
  readonly before: 'admit' | 'deny';
  /** Null where it cannot be said. */
  readonly after: 'admit' | 'deny' | null;
  /** Null where nothing changes. */
  readonly change: Change | null;
  /** What refuses, warned, or refused before; what is unknown and why. */
  readonly because: readonly ChangeReason[];
  /** How many decisions, and how often they were given; 1 for an image of a list. */
  readonly decisions: number;
  readonly uses: number;
  /** The newest of the decisions; null for an image of a list. */
  readonly lastDecision: string | null;
}

/** What the new policies were compared with. */
export type Baseline =
  | { readonly kind: 'policies'; readonly hash: string }
  | { readonly kind: 'record' }
  /** As if everything had been admitted. */
  | { readonly kind: 'nothing' };

/** The whole comparison. */
export interface Simulation {
  readonly policySetHash: string;
  readonly against: Baseline;
  readonly images: readonly SimulatedImage[];
}

/** Puts together what came out alike about one image, the most used first. */
export function merged(images: readonly SimulatedImage[]): readonly SimulatedImage[] {
  const found = new Map<string, SimulatedImage>();
  for (const image of images) {
    const key = JSON.stringify([
      [image.reference, image.repository, image.digest, image.surface, image.namespace],
      [image.before, image.after, image.change, groupOf(image)],
    ]);
    const known = found.get(key);
    found.set(key, known === undefined ? image : added(known, image));
  }
  return [...found.values()].toSorted(
    (a, b) => b.uses - a.uses || (a.reference < b.reference ? -1 : 1),
  );
}

function added(one: SimulatedImage, other: SimulatedImage): SimulatedImage {
  const newest = (one.lastDecision ?? '') > (other.lastDecision ?? '') ? one : other;
  return {
    ...newest,
    decisions: one.decisions + other.decisions,
    uses: one.uses + other.uses,
  };
}

/** One text for those that change for the same reason. */
function groupOf({ because }: SimulatedImage): string {
  return because.map(clauseText).join('\n');
}

function clauseText({ policy, clause, code }: ChangeReason): string {
  return printable(`${policy === null ? '' : `${policy}  `}${clause}  ${code}`);
}

const TITLES = {
  refused: 'would newly be refused',
  excepted: 'were let in by an exception, and would be refused without it',
  admitted: 'would newly be admitted',
  warned: 'would be admitted, but no longer satisfy every policy',
  unknown: 'cannot be told without fetching',
} as const satisfies Record<Change, string>;

const CHANGES = [
  'refused',
  'excepted',
  'admitted',
  'warned',
  'unknown',
] as const satisfies readonly Change[];

/**
 * Prints a simulation, and notes its exit code: 1 when anything would newly be refused, 3 when that
 * cannot be told of some, else 0.
 */
export function printSimulation(
  simulation: Simulation,
  output: 'text' | 'json',
  context: CliContext,
): void {
  const counts = countsOf(simulation);
  context.exit.note(counts.refused > 0 ? 1 : counts.unknown > 0 ? 3 : 0);
  if (output === 'json') context.out(jsonText(documentOf(simulation)));
  else for (const line of linesOf(simulation)) context.out(line);
}

function countsOf({ images }: Simulation) {
  const count = (matches: (image: SimulatedImage) => boolean) =>
    images.filter(matches).reduce((sum, { decisions }) => sum + decisions, 0);
  return {
    refused: count(({ change }) => change === 'refused'),
    excepted: count(({ change }) => change === 'excepted'),
    admitted: count(({ change }) => change === 'admitted'),
    warned: count(({ change }) => change === 'warned'),
    unknown: count(({ change }) => change === 'unknown'),
    unchanged: {
      admitted: count(({ change, after }) => change === null && after === 'admit'),
      refused: count(({ change, after }) => change === null && after === 'deny'),
    },
  };
}

function linesOf(simulation: Simulation): readonly string[] {
  const counts = countsOf(simulation);
  const lines: string[] = [];
  for (const change of CHANGES) {
    const changed = simulation.images.filter((image) => image.change === change);
    if (changed.length === 0) continue;
    lines.push(`${counts[change]} ${TITLES[change]}:`);
    for (const group of Map.groupBy(changed, groupOf).values()) lines.push(...groupLines(group));
  }
  const { admitted, refused } = counts.unchanged;
  lines.push(`unchanged: ${admitted} admitted, ${refused} refused`);
  return lines;
}

function groupLines(group: readonly SimulatedImage[]): readonly string[] {
  return [
    ...(group[0]?.because ?? []).map((clause) => `  ${clauseText(clause)}`),
    ...group.map((image) => `    ${printable(imageText(image))}`),
  ];
}

function imageText(image: SimulatedImage): string {
  const { reference, digest, namespace, decisions, uses, lastDecision } = image;
  const where = namespace === null ? '' : `   namespace ${namespace}`;
  const at = `${digest === null || reference.includes('@') ? '' : `@${digest}`}${where}`;
  if (lastDecision === null)
    return decisions === 1 ? `${reference}${at}` : `${reference}${at}   ${decisions} times`;
  const times = `${decisions} ${decisions === 1 ? 'decision' : 'decisions'}, ${uses} ${uses === 1 ? 'use' : 'uses'}`;
  return `${reference}${at}   ${times}, last ${lastDecision}`;
}

function documentOf(simulation: Simulation): object {
  const { policySetHash, against, images } = simulation;
  return {
    schema: 'https://bulla.dev/schemas/policy-simulation/v1',
    policySetHash,
    against,
    counts: countsOf(simulation),
    groups: changeGroups(images),
    changes: images.filter(({ change }) => change !== null),
  };
}
