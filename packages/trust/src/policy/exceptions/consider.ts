import { asFault } from '../../fault/fault.ts';
import { type Finding, skipped } from '../../finding/finding.ts';
import type { Digest } from '../../oci/digest.ts';
import { findProblem } from '../../proof/gather.ts';
import type { Surface } from '../document.ts';
import { isNode, type ProvenTree } from '../evaluate/proven-tree.ts';
import type { ReadyPolicy } from '../policy-set.ts';
import { type ExceptionPlace, exceptionRefusal } from './acceptance.ts';
import type { ExceptionDocument, GivenException } from './document.ts';
import { signatureProblem } from './signatures.ts';

/** The exceptions of a door, and what of its question they may be limited by. */
export interface ExceptionSource {
  /** Asked when a policy would not pass, and not before; at most once for a decision. */
  given(): Promise<readonly GivenException[]>;
  /** What was asked for; null for a tag that led nowhere. */
  readonly digest: Digest | null;
  readonly surface: Surface;
  readonly namespace: string | null;
}

/** The exceptions that a policy accepts for an image, and a remark on each that it refuses. */
export interface ConsideredExceptions {
  readonly accepted: readonly ExceptionDocument[];
  readonly remarks: readonly Finding[];
}

/** So many are verified for one policy and image: more are a mistake, or somebody's flood. */
const MAX_VERIFIED = 64;
/** So many refused ones are told apart. */
const MAX_REMARKS = 16;
/** So many recorded indexes are looked at, as for evidence. */
const MAX_PARENTS = 16;
const CHECK = 'exception';
const SOURCE = 'semantics 17';

/**
 * What a policy makes of the exceptions of a door. Signatures are checked last, and of at most 64;
 * none is believed before. Never throws: exceptions that cannot be read lift nothing.
 */
export async function considerExceptions(
  policy: ReadyPolicy,
  tree: ProvenTree,
  source: ExceptionSource,
  { repository, at }: { readonly repository: string; readonly at: Date },
): Promise<ConsideredExceptions> {
  let given: readonly GivenException[];
  try {
    given = await source.given();
  } catch (error) {
    const { code, message } = asFault(error);
    const remark = skipped(CHECK, `the exceptions cannot be read: ${message}`, SOURCE);
    return { accepted: [], remarks: [{ ...remark, code }] };
  }
  if (given.length === 0) return { accepted: [], remarks: [] };
  const { surface, namespace } = source;
  const digests = await namedDigests(tree, source.digest, given);
  const place: ExceptionPlace = { repository, digests, surface, namespace };
  const remarks: Finding[] = [];
  const left: ExceptionDocument[] = [];
  for (const one of given) {
    const refused = exceptionRefusal(one, policy, place, at);
    if (refused === null) left.push(one.document);
    else remarks.push(remarkOn(one.document, refused.code, refused.says));
  }
  const accepted: ExceptionDocument[] = [];
  const sorted = left.toSorted(narrowFirst);
  for (const document of sorted.slice(0, MAX_VERIFIED)) {
    const problem = await signatureProblem(document);
    if (problem === null) accepted.push(document);
    else remarks.unshift(remarkOn(document, 'exception.signature', problem));
  }
  return { accepted, remarks: [...overflow(sorted.length), ...bounded(remarks)] };
}

/** A remark on an exception that lifts nothing: shown, and not counted. */
export function remarkOn(
  { id, exception }: ExceptionDocument,
  code: NonNullable<Finding['code']>,
  says: string,
): Finding {
  const remark = skipped(
    CHECK,
    `exception ${exception.name} (${id}) lifts nothing: ${says}`,
    SOURCE,
  );
  return { ...remark, code };
}

/**
 * The digest that was asked for, and of the recorded indexes that some exception names those whose
 * bytes list it: an index is its children too, a leaf is nothing but itself (semantics 6).
 */
async function namedDigests(
  tree: ProvenTree,
  digest: Digest | null,
  given: readonly GivenException[],
): Promise<ReadonlySet<Digest>> {
  if (digest === null) return new Set();
  const digests = new Set([digest]);
  const named = new Set(given.map(({ document }) => document.exception.digest));
  for (const parent of [...new Set(tree.parents)].slice(0, MAX_PARENTS)) {
    if (named.has(parent) && (await lists(tree, parent, digest))) digests.add(parent);
  }
  return digests;
}

async function lists(tree: ProvenTree, parent: Digest, digest: Digest): Promise<boolean> {
  try {
    const node = await tree.node(parent);
    return (node?.children() ?? []).some((child) => child.digest === digest);
  } catch (error) {
    // What is wrong with it is said where its evidence is asked for; a defect is thrown on.
    findProblem('tree.parent', error);
    return false;
  }
}

/** The runnable children of the root: an exception for an index is one for what its bytes list. */
export function childrenOfRoot({ root }: ProvenTree): readonly Digest[] {
  if (!isNode(root)) return [];
  try {
    return (root.children() ?? []).map(({ digest }) => digest);
  } catch (error) {
    findProblem('tree', error);
    return [];
  }
}

/** Of several that would do, one for the digest, approved, and holding the longest. */
function narrowFirst(a: ExceptionDocument, b: ExceptionDocument): number {
  const rank = ({ exception: { kind, digest } }: ExceptionDocument) =>
    (kind === 'break-glass' ? 2 : 0) + (digest === null ? 1 : 0);
  const later = b.exception.expires.getTime() - a.exception.expires.getTime();
  return rank(a) - rank(b) || later || (a.id < b.id ? -1 : 1);
}

function overflow(count: number): readonly Finding[] {
  if (count <= MAX_VERIFIED) return [];
  const says = `there are ${count} exceptions for this image, of which ${MAX_VERIFIED} were looked at`;
  return [{ ...skipped(CHECK, says, SOURCE), code: 'exception.limit' }];
}

function bounded(remarks: readonly Finding[]): readonly Finding[] {
  if (remarks.length <= MAX_REMARKS) return remarks;
  const more = `${remarks.length - MAX_REMARKS} more exceptions lift nothing here`;
  return [...remarks.slice(0, MAX_REMARKS), skipped(CHECK, more, SOURCE)];
}
