import { reasonOf } from '@bulla/trust/finding/reason';
import type { FindingJson } from '@bulla/trust/finding/render-json';
import type { DecisionBody } from '../record/body.ts';
import type { DecisionsPage, RecordedDecision, RecordService } from '../record/service.ts';

/** What of the record is looked at. */
export type ObservedRecord = Pick<RecordService, 'search'>;

/** What a policy would have denied, or denies, of one image in one place for one reason. */
export interface WouldDeny {
  readonly repository: string;
  /** Null where a tag could not be resolved. */
  readonly digest: string | null;
  readonly namespace: string | null;
  readonly surfaces: readonly string[];
  /** As it was asked for last. */
  readonly reference: string;
  readonly code: string | null;
  readonly says: string;
  /** How often it was asked for. */
  readonly count: number;
  readonly firstSeen: string;
  readonly lastSeen: string;
  readonly lastDecision: string;
  /** When the policy passed it since; null when it has not. */
  readonly mendedAt: string | null;
}

/** What was observed of a policy since an instant. */
export interface Observed {
  readonly wouldDeny: readonly WouldDeny[];
  /** False when there was more in the record than is looked at. */
  readonly complete: boolean;
}

/** So many decisions of a policy that were no pass are looked at, and so many groups are told apart. */
const DECISIONS_MOST = 20_000;
const GROUPS_MOST = 1000;
const PAGE = 500;
const PAGES_MOST = 100;
/** Of so many decisions about an image at a door since then one must be its pass. */
const AFTER_MOST = 100;
/** A decision of any effect may be one that this policy would have denied. */
const EFFECTS = ['warn', 'audit', 'deny'] as const;

/** All that the policy did not pass since then, the newest first. Throws what the record throws. */
export async function observe(
  record: ObservedRecord,
  policy: string,
  from: Date,
): Promise<Observed> {
  const groups = new Map<string, WouldDeny>();
  let looked = 0;
  let complete = true;
  for (const effect of EFFECTS) {
    let before: number | null = null;
    do {
      const page: DecisionsPage = await record.search(
        { policy, effect, from },
        { limit: PAGE, ...(before === null ? {} : { before }) },
      );
      for (const found of page.decisions) add(groups, found, policy);
      looked += page.decisions.length;
      before = page.next;
      if (looked > DECISIONS_MOST || groups.size > GROUPS_MOST) {
        complete = false;
        before = null;
      }
    } while (before !== null);
  }
  const found = [...groups.values()]
    .toSorted((a, b) => (a.lastSeen < b.lastSeen ? 1 : -1))
    .slice(0, GROUPS_MOST);
  const wouldDeny: WouldDeny[] = [];
  for (const one of found) {
    wouldDeny.push({ ...one, mendedAt: await mendedAt(record, policy, one) });
  }
  return { wouldDeny, complete };
}

/** Whether anything at all was decided by the policy since then. Throws what the record throws. */
export async function wasAsked(
  record: ObservedRecord,
  policy: string,
  from: Date,
): Promise<boolean> {
  let before: number | null = null;
  for (let pages = 0; pages < PAGES_MOST; pages++) {
    const page: DecisionsPage = await record.search(
      { policy, from },
      { limit: 1, ...(before === null ? {} : { before }) },
    );
    if (page.decisions.length > 0) return true;
    if (page.next === null) return false;
    // A page that is empty and has a next one was only looked through so far.
    before = page.next;
  }
  return false;
}

function add(
  groups: Map<string, WouldDeny>,
  { decision, uses }: RecordedDecision,
  policy: string,
): void {
  const effect = effectOf(decision, policy);
  if (effect === null || effect === 'pass') return;
  const { repository, digest, namespace, reference, surface } = decision;
  const { code, says } = reasonIn(decision, policy);
  const key = JSON.stringify([repository, digest, namespace, code]);
  const known = groups.get(key);
  const last = uses.last ?? decision.at;
  const isNewest = known === undefined || last > known.lastSeen;
  const newest = isNewest ? { reference, says, lastDecision: decision.id, lastSeen: last } : known;
  const { reference: name, says: why, lastDecision, lastSeen } = newest;
  groups.set(key, {
    ...{ repository, digest, namespace, code, reference: name, says: why, lastDecision, lastSeen },
    surfaces: [...new Set([...(known?.surfaces ?? []), surface])].toSorted(),
    count: (known?.count ?? 0) + uses.count,
    firstSeen: known !== undefined && known.firstSeen < decision.at ? known.firstSeen : decision.at,
    mendedAt: null,
  });
}

function effectOf({ policies }: DecisionBody, policy: string): string | null {
  return policies.find(({ name }) => name === policy)?.effect ?? null;
}

/** The first leaf of the policy's tree that is no pass; of a cached answer only one policy's is kept. */
function reasonIn(
  { finding, code }: DecisionBody,
  policy: string,
): { readonly code: string | null; readonly says: string } {
  const tree = policyTree(finding, `policy.${policy}`);
  if (tree === null) return { code, says: finding.says };
  const leaf = reasonOf(tree);
  return { code: leaf.code ?? code, says: leaf.says };
}

function policyTree(finding: FindingJson, check: string): FindingJson | null {
  if (finding.check === check) return finding;
  for (const child of finding.because ?? []) {
    const found = policyTree(child, check);
    if (found !== null) return found;
  }
  return null;
}

/**
 * When the same image passed the policy at every door where it did not, after it last did not, by what
 * it carries itself: what an exception let in ends with the exception, and what a pull passes (`tags`,
 * say) admission may refuse.
 */
async function mendedAt(
  record: ObservedRecord,
  policy: string,
  { repository, digest, namespace, surfaces, lastSeen }: WouldDeny,
): Promise<string | null> {
  if (digest === null) return null;
  let latest = '';
  for (const surface of surfaces) {
    const page = await record.search(
      { policy, repository, digest, surface, from: new Date(lastSeen) },
      { limit: AFTER_MOST },
    );
    const after = page.decisions.find(
      ({ decision }) =>
        decision.repository === repository &&
        decision.digest === digest &&
        decision.namespace === namespace &&
        decision.surface === surface &&
        decision.at > lastSeen &&
        decision.exceptions.every((used) => used.policy !== policy) &&
        effectOf(decision, policy) === 'pass',
    );
    if (after === undefined) return null;
    if (after.decision.at > latest) latest = after.decision.at;
  }
  return latest === '' ? null : latest;
}
