import { type Dossier, readDossier } from '@bulla/trust/decide/dossier';
import { hasCode } from '@bulla/trust/fault/fault';
import type { FindingJson } from '@bulla/trust/finding/render-json';
import type { DecisionBody } from '../record/body.ts';
import type { RecordedDecision, RecordService } from '../record/service.ts';

/** What of the record is looked at. */
export type HistoryRecord = Pick<RecordService, 'search' | 'get' | 'evidenceOf'>;

/** All decisions of a time about one image in one place, of which the newest is asked again. */
export interface PastImage {
  readonly newest: DecisionBody;
  readonly decisions: number;
  readonly uses: number;
  readonly lastUsed: string;
  /** By which it was asked for, the newest first. */
  readonly tags: readonly string[];
  /** Whether any of them named it by a tag alone, which a door may have pinned since. */
  readonly byTag: boolean;
  /** Whether any of them admitted it. */
  readonly admitted: boolean;
}

/** The images of a time, newest first, as far as they were looked through. */
export interface History {
  readonly images: readonly PastImage[];
  readonly decisions: number;
  /** Since when all is in it; later than asked for when there was too much. */
  readonly since: Date;
  readonly complete: boolean;
}

/** How much of a record is looked through. */
export interface HistoryLimits {
  readonly decisions: number;
  readonly images: number;
}

const PAGE = 500;

/** The images that the record has decisions about since then. Throws what the record throws. */
export async function readHistory(
  record: HistoryRecord,
  from: Date,
  limits: HistoryLimits,
): Promise<History> {
  const images = new Map<string, PastImage>();
  let decisions = 0;
  let since = from;
  let before: number | null = null;
  do {
    const page: { readonly decisions: readonly RecordedDecision[]; readonly next: number | null } =
      await record.search({ from }, { limit: PAGE, ...(before === null ? {} : { before }) });
    for (const one of page.decisions) {
      if (decisions === limits.decisions || isFull(images, one.decision, limits)) {
        since = new Date(one.decision.at);
        return { images: [...images.values()], decisions, since, complete: false };
      }
      decisions += 1;
      add(images, one);
    }
    before = page.next;
  } while (before !== null);
  return { images: [...images.values()], decisions, since, complete: true };
}

function keyOf({ repository, digest, tag, surface, namespace }: DecisionBody): string {
  return JSON.stringify([repository, digest, digest === null ? tag : null, surface, namespace]);
}

function isFull(
  images: ReadonlyMap<string, PastImage>,
  decision: DecisionBody,
  limits: HistoryLimits,
): boolean {
  return images.size === limits.images && !images.has(keyOf(decision));
}

function add(images: Map<string, PastImage>, { decision, uses }: RecordedDecision): void {
  const key = keyOf(decision);
  const known = images.get(key);
  const tags = decision.tag === null ? [] : [decision.tag];
  const used = uses.last ?? decision.at;
  images.set(key, {
    // The newest comes first.
    newest: known?.newest ?? decision,
    decisions: (known?.decisions ?? 0) + 1,
    uses: (known?.uses ?? 0) + uses.count,
    lastUsed: known !== undefined && known.lastUsed > used ? known.lastUsed : used,
    tags: [...new Set([...(known?.tags ?? []), ...tags])],
    byTag: (known?.byTag ?? false) || (decision.tag !== null && !decision.reference.includes('@')),
    admitted: (known?.admitted ?? false) || decision.outcome === 'admit',
  });
}

/** The decision that was taken, of which another may be a use, and what it looked at. */
export interface PastEvidence {
  readonly origin: DecisionBody;
  readonly dossier: Dossier;
}

/** What a decision stands on; a sentence where nothing is stored of it any more. */
export async function evidenceOf(
  record: HistoryRecord,
  decision: DecisionBody,
): Promise<PastEvidence | string> {
  try {
    const from = usedFrom(decision.finding);
    const origin = from === null ? decision : (await record.get(from)).decision;
    const bytes = await record.evidenceOf(origin.id);
    if (bytes === null) return `no evidence was kept with decision ${origin.id}`;
    return { origin, dossier: readDossier(bytes) };
  } catch (error) {
    // What cannot be read says nothing of its image, and must not keep others from being told.
    const isGone =
      hasCode(error, 'record.decision-unknown') ||
      hasCode(error, 'record.evidence-missing') ||
      hasCode(error, 'dossier.malformed');
    if (isGone && error instanceof Error) return error.message;
    throw error;
  }
}

/** A use of a cached decision says of which. */
function usedFrom({ because = [] }: FindingJson): string | null {
  const cached = because.find(({ check }) => check === 'decision.cached');
  return /^as decided in ([0-7][0-9A-HJKMNP-TV-Z]{25}) /.exec(cached?.says ?? '')?.[1] ?? null;
}
