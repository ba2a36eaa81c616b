import { openEpochs } from '@bulla/server/decision/epochs';
import type { Digest } from '@bulla/trust/oci/digest';
import type { Decision } from '@bulla/trust/policy/decision';
import type { GivenException } from '@bulla/trust/policy/exceptions/document';
import type { PolicySet } from '@bulla/trust/policy/policy-set';
import { TWO_CLAUSES } from '../../../trust/test/policy/exceptions/exception-lab.ts';
import { stage } from '../../../trust/test/policy/exceptions/stage.ts';
import { type PolicyShape, policyOf, setOf } from '../../../trust/test/policy-lab/policy.ts';
import { NOW } from '../../../trust/test/sigstore-lab/lab.ts';
import { defaultConfig } from '../../src/config/parse.ts';
import type { Answered, Ask } from '../../src/decision/ask.ts';
import { openPolicies } from '../../src/decision/policies.ts';
import type { ExceptionService } from '../../src/exceptions/service.ts';
import { createLog } from '../../src/http/log.ts';
import { createMetrics } from '../../src/http/metrics.ts';
import { openMemory } from '../../src/storage/memory/open.ts';
import type { Objects } from '../../src/storage/objects.ts';
import type { RowStore } from '../../src/storage/store.ts';
import { wireDecisions } from '../../src/wiring/decisions.ts';
import { wireExceptions } from '../../src/wiring/exceptions.ts';
import { ASK } from '../decision/kit.ts';
import { openRoom, type RoomUnderTest } from '../record/room.ts';

/** One process of several: exceptions and decisions as a server wires them. */
export interface Replica {
  readonly exceptions: ExceptionService;
  /** Its decision about the image, which release signed and qa did not. */
  decide(change?: Partial<Ask>): Promise<Decision>;
  /** The same, and whether it was cached. */
  answer(change?: Partial<Ask>): Promise<Answered>;
  /** What it says of itself in numbers. */
  metrics(): Promise<string>;
  /** What it told on its log, one line each. */
  readonly said: string[];
}

/** A record, policies that tests replace, a clock that they move, and replicas on one storage. */
export interface House extends AsyncDisposable {
  readonly room: RoomUnderTest;
  readonly objects: Objects;
  readonly digest: Digest;
  at(): Date;
  pass(ms: number): void;
  /** Another set of policies from now on, at every replica. */
  replace(...shapes: readonly Partial<PolicyShape>[]): Promise<void>;
  replica(change?: ReplicaChange): Promise<Replica>;
}

/** What a test changes of a replica. */
export interface ReplicaChange {
  /** Another database, as a restored backup is one. */
  readonly rows?: RowStore;
  /** Stands between a decision and the exceptions that it is handed. */
  readonly given?: (given: readonly GivenException[]) => Promise<readonly GivenException[]>;
}

/** A house on these rows, which it closes. Objects are in memory, and outlive a restored database. */
export async function openHouse(rows: RowStore): Promise<House> {
  await using opened = new AsyncDisposableStack();
  const room = opened.use(await openRoom({ rows }));
  const { objects } = opened.use(openMemory());
  const { repository, image } = stage();
  const time = { ms: 0 };
  const clocks = { clock: () => new Date(NOW.getTime() + time.ms), now: () => time.ms };
  let set: PolicySet = setOf(policyOf(TWO_CLAUSES));
  const checks: (() => Promise<unknown>)[] = [];
  const life = new AsyncDisposableStack();
  life.use(opened.move());
  return {
    room,
    objects,
    digest: image.digest,
    at: clocks.clock,
    pass(ms) {
      time.ms += ms;
    },
    async replace(...shapes) {
      set = setOf(...shapes.map((shape) => policyOf({ ...TWO_CLAUSES, ...shape })));
      for (const check of checks) await check();
    },
    async replica({ rows: other = rows, given = unchanged } = {}) {
      const said: string[] = [];
      const log = createLog('warn', { write: (line) => void said.push(line) });
      const epochs = openEpochs(other.registers, clocks.now);
      const inForce = await openPolicies({
        load: async () => ({ set, files: new Map(), warnings: [] }),
        fingerprint: async () => set.hash,
        clock: clocks.clock,
        changed: () => undefined,
      });
      checks.push(() => inForce.check());
      const store = { tables: other.tables, objects };
      const metrics = createMetrics();
      const { record } = room;
      const ground = { store, record, epochs, inForce, metrics, log, clocks };
      const wired = life.use(await wireExceptions(ground));
      const { exceptions } = wired;
      const config = defaultConfig('/nowhere');
      const find = async (name: string, digests: readonly string[]) =>
        given(await exceptions.given(name, digests));
      const { decisions } = life.use(
        wireDecisions(
          config,
          other.registers,
          inForce,
          record,
          { epochs, exceptions: find },
          clocks,
          log,
        ),
      );
      const answer = (change: Partial<Ask> = {}) =>
        decisions.decide({
          ...ASK,
          tag: null,
          source: repository,
          resolved: { digest: image.digest },
          ...change,
        });
      return {
        exceptions,
        answer,
        decide: async (change) => (await answer(change)).decision,
        metrics: async () => (await metrics.render()).text,
        said,
      };
    },
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  };
}

async function unchanged(given: readonly GivenException[]): Promise<readonly GivenException[]> {
  return given;
}
