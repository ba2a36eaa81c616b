import { asFault, quote, TrustFault } from '@bulla/trust/fault/fault';
import { openTurns } from '../bounds/turns.ts';
import type { Asker, RequestFacts } from '../decision/made.ts';
import type { AskAboutImage, Reached } from '../reach/question.ts';
import { failedItem, type Item, pinned, type ThroughGateway, verified } from './answer.ts';
import type { GatekeeperConfig } from './config.ts';
import { type ImageKey, type ProviderRequest, parseKey } from './parse.ts';

/** What the provider rests on. */
export interface GatekeeperParts {
  readonly config: GatekeeperConfig;
  readonly ask: AskAboutImage;
  readonly throughGateway: ThroughGateway;
  /** Told of an image that could not be decided about, whatever was answered meanwhile. */
  readonly failed: (fault: TrustFault, key: string) => void;
}

/** A ProviderResponse of external data; an answer about images is never a system error. */
export interface ProviderResponse {
  readonly apiVersion: ProviderRequest['apiVersion'];
  readonly kind: 'ProviderResponse';
  readonly response: {
    readonly idempotent: true;
    readonly items: readonly Item[];
    readonly systemError: '';
  };
}

/** The provider. Neither method ever throws; each distinct key has one item, in the order asked. */
export interface Gatekeeper {
  /** Values that a ConstraintTemplate reads. */
  verify(request: ProviderRequest, facts: RequestFacts): Promise<ProviderResponse>;
  /** Texts that a mutator puts in the place of images. */
  mutate(request: ProviderRequest, facts: RequestFacts): Promise<ProviderResponse>;
}

type ItemOf = (key: string, image: ImageKey, reached: Reached) => Item;

/** Who asks: Gatekeeper proves itself by its certificate, and no person stands behind it. */
const GATEKEEPER: Asker = { kind: 'system', id: 'gatekeeper', name: 'Gatekeeper' };

/** A provider that decides about its keys in parallel, within bounds, and answers by its deadline. */
export function createGatekeeper({
  config,
  ask,
  throughGateway,
  failed,
}: GatekeeperParts): Gatekeeper {
  const { atOnce, waiting, deadlineMs, pin } = config;
  const turns = openTurns({
    atOnce,
    waiting: { most: waiting, tooMany: () => new TrustFault('gatekeeper.busy', 'too many images') },
  });

  async function decide({ namespace, reference }: ImageKey, request: RequestFacts, late: Late) {
    return turns(async () => {
      // Whoever asked has had its answer: what was not begun is left.
      if (late.isOver()) throw late.fault(reference);
      return ask({
        reference,
        surface: 'admission',
        namespace,
        actor: GATEKEEPER,
        request,
        credentials: [],
        dryRun: false,
      });
    });
  }

  async function answer(
    { apiVersion, keys }: ProviderRequest,
    facts: RequestFacts,
    kind: 'verify' | 'mutate',
    itemOf: ItemOf,
  ): Promise<ProviderResponse> {
    const late = startDeadline(deadlineMs);
    const one = async (key: string): Promise<Item> => {
      try {
        const image = parseKey(key);
        return itemOf(key, image, await decide(image, facts, late));
      } catch (error) {
        const fault = asFault(error);
        failed(fault, key);
        return failedItem(key, fault, kind);
      }
    };
    const inTime = (key: string): Promise<Item> =>
      Promise.race([one(key), late.passed.then(() => failedItem(key, late.fault(key), kind))]);
    try {
      const items = await Promise.all([...new Set(keys)].map(inTime));
      const response = { idempotent: true, items, systemError: '' } as const;
      return { apiVersion, kind: 'ProviderResponse', response };
    } finally {
      late.end();
    }
  }

  return {
    verify: (request, facts) =>
      answer(request, facts, 'verify', (key, { reference }, reached) =>
        verified(key, reached, throughGateway(reference)),
      ),
    mutate: (request, facts) =>
      answer(request, facts, 'mutate', (key, { reference }, reached) =>
        pinned(key, reference, reached, pin),
      ),
  };
}

/** The end of the time that one request has. */
interface Late {
  /** Resolves at the deadline; never, when `end` came before. */
  readonly passed: Promise<void>;
  isOver(): boolean;
  fault(key: string): TrustFault;
  end(): void;
}

function startDeadline(deadlineMs: number): Late {
  const { promise, resolve } = Promise.withResolvers<void>();
  let over = false;
  const timer = setTimeout(() => {
    over = true;
    resolve();
  }, deadlineMs);
  return {
    passed: promise,
    isOver: () => over,
    fault: (key) => {
      const message = `no decision about ${quote(key)} in ${deadlineMs} ms`;
      return new TrustFault('gatekeeper.timeout', message);
    },
    end: () => clearTimeout(timer),
  };
}
