import { asOneOf, asString, type Cursor, member, optional } from '@bulla/trust/bytes/shape';
import { codeEntry } from '@bulla/trust/fault/codes';
import { asFault } from '@bulla/trust/fault/fault';
import { mapBounded } from '@bulla/trust/oci/bounded';
import type { ImpactedImage } from '@bulla/trust/policy/impact/report';
import { impacted, type Judging, judgeStored, type Placed, untold } from '../options/impact.ts';
import type { Api } from './api.ts';
import { searchDecisions } from './decisions.ts';
import { answer } from './parse.ts';
import { type RecordedDecision, recordedDecision, recordedDossier } from './recorded.ts';

/** Which decisions are looked at, and what counts as running. */
export interface ImpactRange {
  /** `from` and `to` of the record's search. */
  readonly query: Readonly<Record<string, string>>;
  /** What was admitted to a cluster or by a node since then is taken to run. */
  readonly runningSince: Date;
  readonly at: 'decision' | 'now';
}

/** All decisions about one image in one place, the newest in full. */
interface Asked {
  readonly id: string;
  readonly placed: Placed;
}

const PAGE = 200;
const PARALLEL = 4;

/**
 * What a change does to every repository and digest that a record has decisions about, from the
 * evidence that it keeps with the newest of them. An image is judged once for each surface and namespace
 * where it was asked for, because policies may differ there. Throws what the record throws.
 */
export async function impactOfDecisions(
  api: Api,
  range: ImpactRange,
  judging: Judging,
): Promise<readonly ImpactedImage[]> {
  const asked = new Map<string, Asked>();
  let before: number | null = null;
  do {
    const page = await searchDecisions(api, range.query, { limit: PAGE, before });
    for (const { shown, document } of page.found) {
      const { key, placed } = placedBy(answer(document), shown.id, range);
      if (placed === null) continue;
      const newest = asked.get(key);
      // The newest comes first, and is what is judged; older ones tell where else the image was.
      asked.set(key, {
        id: newest?.id ?? shown.id,
        placed: newest === undefined ? placed : joined(newest.placed, placed),
      });
    }
    before = page.next;
  } while (before !== null);
  return mapBounded([...asked.values()], PARALLEL, (one) => judgeOne(one, api, range, judging));
}

function placedBy(
  at: Cursor,
  id: string,
  { runningSince }: ImpactRange,
): { readonly key: string; readonly placed: Placed | null } {
  const nullable = (name: string) => optional(member(at, name), asString) ?? null;
  const repository = asString(member(at, 'repository'));
  const surface = asString(member(at, 'surface'));
  const [digest, tag, namespace] = [nullable('digest'), nullable('tag'), nullable('namespace')];
  const isAdmitted = asOneOf(member(at, 'outcome'), ['admit', 'deny']) === 'admit';
  const lastUsed = asString(member(at, 'lastUsedAt'));
  const isRunning =
    isAdmitted &&
    (surface === 'admission' || surface === 'node') &&
    lastUsed >= runningSince.toISOString();
  const where = namespace === null ? surface : `${surface} in ${namespace}`;
  const key = JSON.stringify([repository, digest, surface, namespace]);
  if (digest === null) return { key, placed: null };
  return {
    key,
    placed: {
      repository,
      digest,
      tags: tag === null ? [] : [tag],
      running: isRunning ? [where] : [],
      deployable: isAdmitted || tag !== null,
      lastDecision: id,
    },
  };
}

function joined(newest: Placed, older: Placed): Placed {
  return {
    ...newest,
    tags: [...new Set([...newest.tags, ...older.tags])],
    running: [...new Set([...newest.running, ...older.running])],
    deployable: newest.deployable || older.deployable,
  };
}

async function judgeOne(
  { id, placed }: Asked,
  api: Api,
  range: ImpactRange,
  judging: Judging,
): Promise<ImpactedImage> {
  try {
    const shown = await recordedDecision(api, id);
    const origin = shown.usedFrom ?? id;
    const decision = origin === id ? shown : await recordedDecision(api, origin);
    const dossier = await recordedDossier(api, origin);
    const at = range.at === 'now' ? judging.context.clock() : decision.decidedAt;
    const { reference, tag, rollback } = decision;
    const scope = { ...decision.scope, repository: placed.repository };
    const judged = await judgeStored({ reference, scope, tag, rollback, dossier, at }, judging);
    if (decision.digest === placed.digest || judged.covers.includes(placed.digest)) {
      return impacted(placed, judged);
    }
    return untold(placed, ofIndex(decision));
  } catch (error) {
    const { code, message } = asFault(error);
    // What the record no longer has, or never had, cannot be judged; all else ends the work.
    if (codeEntry(code).status !== 404) throw error;
    return untold(placed, message);
  }
}

function ofIndex({ digest, id }: RecordedDecision): string {
  return `it was decided with its index ${digest ?? ''} in ${id}, which loses its path, and its own evidence was not stored`;
}
