import { codeEntry } from '@bulla/trust/fault/codes';
import { asFault, quote, TrustFault } from '@bulla/trust/fault/fault';
import { mapBounded } from '@bulla/trust/oci/bounded';
import { type Before, type Compared, notStored, unknown } from '@bulla/trust/policy/impact/compare';
import type { CliContext } from '../context.ts';
import { instantOf } from '../options/instant.ts';
import { type Comparing, compare } from '../options/simulation.ts';
import { merged, type SimulatedImage } from '../output/simulation.ts';
import type { Api } from './api.ts';
import { searchDecisions } from './decisions.ts';
import { type RecordedDecision, recordedDecision, recordedDossier } from './recorded.ts';

/** How the decisions of a record are asked again. */
interface Replay {
  readonly api: Api;
  readonly at: 'decision' | 'now';
  readonly comparing: Comparing;
  /** A decision is asked again once, however many uses of it there are. */
  readonly known: Map<string, Promise<Replayed>>;
}

/** A decision that was taken from evidence, asked again. */
interface Replayed {
  readonly decision: RecordedDecision | null;
  readonly compared: Compared;
}

const PAGE = 200;
const PARALLEL = 4;

/**
 * What the policies would change for the decisions of a time, from the evidence that the record keeps
 * with them. A use of a cached decision comes out as that decision. Throws `usage.invalid` for a
 * range that is none, and what the record throws.
 */
export async function simulateDecisions(
  api: Api,
  range: string,
  at: 'decision' | 'now',
  comparing: Comparing,
): Promise<readonly SimulatedImage[]> {
  const query = decisionRange(range, comparing.context);
  const replay: Replay = { api, at, comparing, known: new Map() };
  let images: readonly SimulatedImage[] = [];
  let before: number | null = null;
  do {
    const page = await searchDecisions(api, query, { limit: PAGE, before });
    const simulated = await mapBounded(page.found, PARALLEL, ({ shown }) =>
      simulateOne(shown.id, shown.count, replay),
    );
    images = merged([...images, ...simulated]);
    before = page.next;
  } while (before !== null);
  return images;
}

/** The query of `FROM..TO`, without TO until now, at `--decisions`. Throws `usage.invalid`. */
export function decisionRange(
  range: string,
  { clock }: CliContext,
): Readonly<Record<string, string>> {
  const now = clock();
  const [from = '', to = '', ...rest] = range.split('..');
  if (from === '' || !range.includes('..') || rest.length > 0) {
    const says = `expected FROM..TO at --decisions, found ${quote(range)}`;
    throw new TrustFault(
      'usage.invalid',
      says,
      'Give times such as 7d.. or 2026-11-01..2026-11-08.',
    );
  }
  const instant = (text: string) => {
    return instantOf(text, { option: '--decisions', now, toward: 'past' }).toISOString();
  };
  return to === '' ? { from: instant(from) } : { from: instant(from), to: instant(to) };
}

async function simulateOne(id: string, uses: number, replay: Replay): Promise<SimulatedImage> {
  const shown = await recordedDecision(replay.api, id);
  const origin = shown.usedFrom === null ? id : shown.usedFrom;
  const replayed = replay.known.get(origin) ?? replayDecision(origin, shown, replay);
  replay.known.set(origin, replayed);
  const { decision, compared } = await replayed;
  const { covers: _, ...own } =
    decision === null || decision.digest === shown.digest ? compared : ofLeaf(shown, compared);
  const { reference, digest, scope } = shown;
  const { repository, surface, namespace } = scope;
  const counts = { decisions: 1, uses, lastDecision: id };
  return { reference, repository, digest, surface, namespace, ...own, ...counts };
}

/** A leaf that was admitted with its index still is when the index is, and its evidence counts. */
function ofLeaf({ digest, outcome, usedFrom }: RecordedDecision, compared: Compared): Compared {
  const isCovered = digest !== null && compared.covers.includes(digest);
  if (compared.after === 'admit' && isCovered) return compared;
  const says = `it was decided with its index in ${usedFrom ?? ''}, and its own evidence was not stored`;
  return unknown(outcome, [notStored(says)]);
}

async function replayDecision(
  id: string,
  shown: RecordedDecision,
  { api, at, comparing }: Replay,
): Promise<Replayed> {
  try {
    const decision = id === shown.id ? shown : await recordedDecision(api, id);
    const dossier = await recordedDossier(api, id);
    const { reference, scope, tag, rollback, decidedAt } = decision;
    const present = at === 'now' ? comparing.context.clock() : decidedAt;
    const question = { reference, scope, tag, rollback, dossier, at: present };
    return { decision, compared: await compare(question, beforeOf(decision), comparing) };
  } catch (error) {
    const { code, message } = asFault(error);
    // What the record no longer has, or never had, cannot be asked again; all else ends the work.
    if (codeEntry(code).status !== 404) throw error;
    return { decision: null, compared: unknown(shown.outcome, [notStored(message)]) };
  }
}

function beforeOf({ outcome, effect, code, refusedBy, excepted }: RecordedDecision): Before {
  const reason = { clause: 'as it was recorded', code: code ?? '', says: '' };
  const because =
    refusedBy.length === 0
      ? [{ policy: null, ...reason }]
      : refusedBy.map((policy) => ({ policy, ...reason }));
  return { outcome, effect, because: outcome === 'deny' ? because : [], excepted };
}
