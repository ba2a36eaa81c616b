import { asFault, TrustFault } from '@bulla/trust/fault/fault';
import { memberOf } from '@bulla/trust/images/members';
import type { PodPull } from '@bulla/trust/images/object-images';
import type { Asker, RequestFacts } from '../decision/made.ts';
import type {
  AskAboutImage,
  AskAgain,
  Reached,
  ReachQuestion,
  RegistryCredential,
} from '../reach/question.ts';
import type { Review } from './parse.ts';

/** Who calls the webhook, and until when it waits. */
export interface Call {
  readonly remoteAddress: string;
  readonly userAgent: string;
  /** From the arrival of the request; a little less than what the API server waits. */
  readonly budgetMs: number;
}

/**
 * The credentials of the pull secrets that a Pod names, and of its service account's, in the Pod's
 * namespace and nowhere else (semantics 16). Throws `kubernetes.*` when the cluster does not answer.
 */
export type PullSecretsOf = (pod: {
  readonly namespace: string;
  readonly imagePullSecrets: readonly string[];
  readonly serviceAccountName: string | null;
  /** Canonical hosts of the images, for secrets that are for many. */
  readonly registries: readonly string[];
}) => Promise<readonly RegistryCredential[]>;

/** What became of the question about one reference. */
export type Answer =
  | { readonly reached: Reached }
  /** `admission.deadline`, `record.unavailable`, or a defect. */
  | { readonly fault: TrustFault };

/** All answers about one object. */
export interface Answers {
  readonly byReference: ReadonlyMap<string, Answer>;
  /** Why pull secrets could not be read; null when they were, or none were wanted. */
  readonly secretsFault: TrustFault | null;
}

/** What asking needs. */
export interface AskParts {
  readonly ask: AskAboutImage;
  readonly again: AskAgain;
  /** Null: nothing is read from the cluster. */
  readonly pullSecretsOf: PullSecretsOf | null;
  /** Null for a reference that names nothing. */
  readonly canonicalName: (reference: string) => string | null;
  readonly cluster: string | null;
  readonly parallel: number;
}

/**
 * So long before the time is up whoever was asked is told: what the policies say of an outage
 * (`lastKnownGood`) then still decides, and is recorded.
 */
const GRACE_MS = 200;

/**
 * Asks about each reference once, `parallel` at a time, and answers when all are known or the time is
 * up: what is still unknown then is `admission.deadline`, and never a pass. Does not throw.
 */
export async function askAll(
  parts: AskParts,
  review: Review,
  call: Call,
  references: readonly string[],
  pods: readonly PodPull[],
): Promise<Answers> {
  if (references.length === 0) return { byReference: new Map(), secretsFault: null };
  const again = parts.pullSecretsOf === null ? askedAgain(parts, review, references) : null;
  if (again !== null) return { byReference: again, secretsFault: null };
  const byReference = new Map<string, Answer>();
  const ending = new AbortController();
  const { promise: late, resolve: giveUp } = Promise.withResolvers<'late'>();
  const graceMs = Math.min(GRACE_MS, call.budgetMs / 4);
  let timer = setTimeout(() => {
    ending.abort();
    timer = setTimeout(() => giveUp('late'), graceMs);
  }, call.budgetMs - graceMs);
  const state: { secretsFault: TrustFault | null; over: boolean } = {
    secretsFault: null,
    over: false,
  };
  const asking = askEach(parts, review, call, references, pods, ending.signal, {
    known(reference, answer) {
      // An answer that comes later must not change what is being written.
      if (!state.over) byReference.set(reference, answer);
    },
    noSecrets(fault) {
      state.secretsFault = fault;
    },
  });
  try {
    await Promise.race([asking, late]);
  } finally {
    clearTimeout(timer);
    state.over = true;
  }
  // In the object's own order, whichever was known first.
  const all = references.map((reference): [string, Answer] => [
    reference,
    byReference.get(reference) ?? { fault: tooLate(call) },
  ]);
  return { byReference: new Map(all), secretsFault: state.secretsFault };
}

/** The answers of a moment ago; null unless there is one for each reference. */
function askedAgain(
  { again }: AskParts,
  review: Review,
  references: readonly string[],
): ReadonlyMap<string, Answer> | null {
  const { namespace, dryRun } = review;
  const actor = actorOf(review);
  const answers = new Map<string, Answer>();
  for (const reference of references) {
    const known = { reference, surface: SURFACE, namespace, actor, dryRun };
    const reached = again({ ...known, credentials: NO_CREDENTIALS });
    if (reached === null) return null;
    answers.set(reference, { reached });
  }
  return answers;
}

/** What is asked about each reference of an object alike. */
function questionOf(
  { cluster }: AskParts,
  review: Review,
  call: Call,
  credentials: readonly RegistryCredential[],
): Omit<ReachQuestion, 'reference'> {
  const { namespace, dryRun } = review;
  return {
    surface: SURFACE,
    namespace,
    actor: actorOf(review),
    request: factsOf(cluster, review, call),
    credentials,
    dryRun,
  };
}

interface Telling {
  known(reference: string, answer: Answer): void;
  noSecrets(fault: TrustFault): void;
}

const NO_CREDENTIALS: readonly RegistryCredential[] = [];
const SURFACE = 'admission' as const;

async function askEach(
  parts: AskParts,
  review: Review,
  call: Call,
  references: readonly string[],
  pods: readonly PodPull[],
  signal: AbortSignal,
  telling: Telling,
): Promise<void> {
  const wanted = parts.pullSecretsOf !== null && review.namespace !== null;
  const credentials = wanted
    ? await credentialsFor(parts, review, references, pods, telling)
    : NO_CREDENTIALS;
  const common = { ...questionOf(parts, review, call, credentials), signal };
  let next = 0;
  const lane = async (): Promise<void> => {
    for (;;) {
      const reference = references[next++];
      if (reference === undefined || signal.aborted) return;
      try {
        telling.known(reference, { reached: await parts.ask({ ...common, reference }) });
      } catch (error) {
        telling.known(reference, { fault: asFault(error) });
      }
    }
  };
  const lanes = Math.min(parts.parallel, references.length);
  if (lanes === 1) return lane();
  await Promise.all(Array.from({ length: lanes }, lane));
}

/** Those of every Pod that the object describes, each once; an image that needs none is asked about all the same. */
async function credentialsFor(
  { pullSecretsOf, canonicalName }: AskParts,
  { namespace }: Review,
  references: readonly string[],
  pods: readonly PodPull[],
  telling: Telling,
): Promise<readonly RegistryCredential[]> {
  if (pullSecretsOf === null || namespace === null) return [];
  const hosts = references.map((reference) => canonicalName(reference)?.split('/', 1)[0]);
  const registries = [...new Set(hosts.filter((host) => host !== undefined))];
  try {
    const lists = await Promise.all(
      pods.map(({ pullSecrets, serviceAccount }) =>
        pullSecretsOf({
          namespace,
          imagePullSecrets: pullSecrets,
          serviceAccountName: serviceAccount,
          registries,
        }),
      ),
    );
    return lists.flat();
  } catch (error) {
    telling.noSecrets(asFault(error));
    return [];
  }
}

function tooLate({ budgetMs }: Call): TrustFault {
  return new TrustFault(
    'admission.deadline',
    `no decision within the ${Math.round(budgetMs)} ms that the API server leaves`,
  );
}

/** The user as the API server authenticated it. */
export function actorOf({ username }: Review): Asker {
  return { kind: 'kubernetes', id: `kubernetes:${username}`, name: username };
}

/** What the record keeps of the request. */
export function factsOf(cluster: string | null, review: Review, call: Call): RequestFacts {
  const { uid, apiVersion, kind, namespace, name, operation } = review;
  return {
    id: uid,
    remoteAddress: call.remoteAddress,
    userAgent: call.userAgent,
    object: { cluster, apiVersion, kind, namespace, name: name ?? prefixOf(review), operation },
  };
}

/** Of an object that the API server is about to name. */
function prefixOf({ object }: Review): string | null {
  const metadata = memberOf(object, 'metadata');
  const prefix = memberOf(metadata, 'generateName');
  return typeof prefix === 'string' && prefix !== '' ? prefix : null;
}
