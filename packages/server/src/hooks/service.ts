import { openRecent } from '../bounds/recent.ts';
import { isSatisfied } from '../decision/cache.ts';
import type { RequestFacts } from '../decision/made.ts';
import type { ReachService } from '../reach/service.ts';
import { type Push, subjectOf, type Told } from './push.ts';
import { openQueue } from './queue.ts';
import type { Sender } from './sender.ts';

/** What became of an event, or of a part of one. */
export type HookOutcome =
  /** Its repository's refusals end, and it is verified ahead. */
  | 'taken'
  /** It tells of no push of a manifest. */
  | 'ignored'
  /** It names another registry than its sender's. */
  | 'foreign'
  /** It is not of its product's form. */
  | 'malformed'
  /** It came without a sender's token. */
  | 'unauthenticated'
  /** Too many waited. */
  | 'dropped'
  | 'failed';

/** What push events are taken with. */
export interface HooksParts {
  readonly senders: readonly Sender[];
  /** For which admission is prepared, beside those that policies name and those that asked of late. */
  readonly namespaces: readonly string[];
  readonly reach: Pick<ReachService, 'canonicalOf' | 'prepare'>;
  /** Ends the refusals of a canonical repository, on every replica. */
  readonly pushed: (repository: string) => Promise<void>;
  readonly count: (sender: Sender['kind'], outcome: HookOutcome) => void;
  readonly failed: (error: unknown, repository: string) => void;
}

/** Push events as work. */
export interface HooksService extends AsyncDisposable {
  readonly senders: readonly Sender[];
  readonly count: HooksParts['count'];
  /** Takes what a sender told, and waits for nothing of it. */
  take(sender: Sender, told: Told, request: RequestFacts): void;
  /** Resolves when all that was taken is done. */
  idle(): Promise<void>;
}

const WAITING_MOST = 1000;
const AT_ONCE = 4;
const REPOSITORIES_MOST = 1000;
/** Images of one repository that were refused and wait for a signature. */
const REFUSED_MOST = 8;

interface Work {
  readonly sender: Sender;
  /** Canonical `registry/repository`. */
  readonly canonical: string;
  /** `REGISTRY/NAME` of the sender's registry. */
  readonly name: string;
  /** What to verify ahead; null for a push that is no image by itself. */
  readonly reference: string | null;
  readonly request: RequestFacts;
}

/**
 * Takes push events: the refusals of their repositories end, and admission's question is asked ahead of
 * it, in the background, a bounded number at a time, one repository's one after the other. An image is
 * usually pushed before its signature: what was refused is asked for again with the next push.
 */
export function createHooks(parts: HooksParts): HooksService {
  const refused = openRecent<readonly string[]>(REPOSITORIES_MOST);
  const queue = openQueue<Work>({
    most: WAITING_MOST,
    atOnce: AT_ONCE,
    laneOf: ({ canonical }) => canonical,
    run: (work) => verifyAhead(parts, refused, work),
    failed(error, { sender, canonical }) {
      parts.count(sender.kind, 'failed');
      parts.failed(error, canonical);
    },
    dropped: ({ sender }) => parts.count(sender.kind, 'dropped'),
  });
  return {
    senders: parts.senders,
    count: parts.count,
    take(sender, { pushes, ignored }, request) {
      for (let count = 0; count < ignored; count++) parts.count(sender.kind, 'ignored');
      for (const push of pushes) {
        const work = workOf(parts, sender, push, request);
        parts.count(sender.kind, work === null ? 'foreign' : 'taken');
        if (work !== null) queue.add(`${work.canonical} ${work.reference}`, work);
      }
    },
    idle: () => queue.idle(),
    [Symbol.asyncDispose]: () => queue[Symbol.asyncDispose](),
  };
}

/**
 * What a push is to us. The registry is the sender's, whatever the event says; one that says another is
 * not about it, unless that is another name of the same by the configured aliases.
 */
function workOf(
  { reach }: HooksParts,
  sender: Sender,
  { repository, tag, host }: Push,
  request: RequestFacts,
): Work | null {
  const name = `${sender.registry}/${repository}`;
  const canonical = reach.canonicalOf(name);
  if (canonical === null || hasReference(name)) return null;
  if (host !== null && reach.canonicalOf(`${host}/${repository}`) !== canonical) return null;
  const subject = tag === null ? null : subjectOf(tag);
  const image = subject === null ? tag && `${name}:${tag}` : `${name}@${subject}`;
  const reference = image !== null && reach.canonicalOf(image) === canonical ? image : null;
  return { sender, canonical, name, reference, request };
}

/** A repository that brings a tag or a digest of its own would name another image than the event. */
function hasReference(name: string): boolean {
  const last = name.slice(name.lastIndexOf('/') + 1);
  return /[:@]/.test(last);
}

async function verifyAhead(
  parts: HooksParts,
  refused: ReturnType<typeof openRecent<readonly string[]>>,
  work: Work,
): Promise<void> {
  const { canonical, reference, sender } = work;
  await parts.pushed(canonical);
  const waiting = refused.get(canonical) ?? [];
  const references = [...new Set([...(reference === null ? [] : [reference]), ...waiting])];
  const still: string[] = [];
  for (const one of references) {
    const prepared = await parts.reach.prepare(
      {
        reference: one,
        surface: 'admission',
        actor: {
          kind: 'system',
          id: `hook:${sender.kind}:${sender.registry}`,
          name: `push event of ${sender.registry}`,
        },
        request: work.request,
        credentials: [],
        dryRun: false,
      },
      parts.namespaces,
    );
    // What only warns may yet be signed.
    if (!prepared.every(({ reached }) => isSatisfied(reached.decision))) still.push(one);
  }
  if (still.length === 0) refused.delete(canonical);
  else refused.set(canonical, still.slice(0, REFUSED_MOST));
}
