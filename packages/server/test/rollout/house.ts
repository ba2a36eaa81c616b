import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Decision, PolicyOutcome } from '@bulla/trust/policy/decision';
import type { Asker } from '../../src/decision/made.ts';
import type { InForce } from '../../src/decision/policies.ts';
import { createLog } from '../../src/http/log.ts';
import type { RolloutService } from '../../src/rollout/service.ts';
import { openSqlite } from '../../src/storage/sqlite/open.ts';
import type { RowStore } from '../../src/storage/store.ts';
import { watchPolicies } from '../../src/wiring/policies.ts';
import { type PolicyCutOvers, wireCutOvers, wireRollouts } from '../../src/wiring/rollouts.ts';
import { made, openRoom, type RoomUnderTest, refused } from '../record/room.ts';

export const ANN: Asker = { kind: 'user', id: 'u1', name: 'ann' };
export const HOUR_MS = 3600_000;
export const DAY_MS = 24 * HOUR_MS;

const KEY = new URL('../../../../vectors/cosign/keys/p256.pub', import.meta.url);

/** A policy about everything of this mode. */
export function policyText(mode: string, more = '', name = 'prod'): string {
  return `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: ${name} }
spec:
  images: [{ glob: "**" }]
  mode: ${mode}
  authorities: { dev: { key: { ref: p256.pub } } }
  require: { signed: { of: [dev] } }
${more}`;
}

/** One process of several on one storage and one folder of policies. */
export interface Replica {
  readonly rollouts: RolloutService;
  readonly cutOvers: PolicyCutOvers;
  current(): InForce;
  /** What each replica does every two seconds. */
  look(): Promise<void>;
}

/** A record, a folder of policies, and replicas; the clock moves when it is told to. */
export interface House extends AsyncDisposable {
  readonly room: RoomUnderTest;
  readonly rows: RowStore;
  readonly file: string;
  write(text: string): Promise<void>;
  replica(): Promise<Replica>;
  pass(ms: number): void;
  /** Keeps a decision of policy `prod` with this effect. */
  decided(effect: PolicyOutcome['effect'], change?: Partial<Decision>): Promise<void>;
  acts(): Promise<readonly string[]>;
}

export async function openHouse(mode = 'warn', store?: RowStore): Promise<House> {
  const folder = await mkdtemp(join(tmpdir(), 'bulla-rollout-'));
  const file = join(folder, 'prod.yaml');
  await cp(KEY, join(folder, 'p256.pub'));
  await writeFile(file, policyText(mode));
  const rows = store ?? (await openSqlite(':memory:'));
  const room = await openRoom({ rows });
  const clock = () => new Date(room.time.ms);
  const opened = new AsyncDisposableStack();
  opened.defer(() => rm(folder, { recursive: true }));
  opened.use(room);
  return {
    room,
    rows,
    file,
    write: (text) => writeFile(file, text),
    async replica() {
      const cutOvers = wireCutOvers(rows.registers, room.record, clock);
      const config = { policies: [folder], trustRoots: {} };
      const log = createLog('silent');
      const watched = await watchPolicies(config, log, clock, null, cutOvers);
      opened.use(watched);
      return {
        rollouts: wireRollouts(cutOvers, room.record, watched.inForce, clock),
        cutOvers,
        current: () => watched.inForce.current(),
        async look() {
          await watched.inForce.check();
          await cutOvers.settle();
        },
      };
    },
    pass(ms) {
      room.time.ms += ms;
    },
    async decided(effect, change = {}) {
      const at = clock();
      const rest = { at };
      const decision =
        effect === 'pass' ? made({ at, ...change }, rest) : unsatisfied(effect, at, change);
      await room.record.keep(decision);
    },
    async acts() {
      const { acts } = await room.record.acts({});
      return acts.map(({ act }) => act.act).reverse();
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function unsatisfied(effect: 'warn' | 'audit' | 'deny', at: Date, change: Partial<Decision>) {
  const mode = effect === 'deny' ? 'enforce' : effect;
  const leaf = {
    check: 'signed',
    outcome: 'fail',
    says: 'no signature was found',
    code: 'signature.none',
  } as const;
  const finding = { ...leaf, check: 'policy.prod', needs: 'all', because: [leaf] } as const;
  return refused(
    {
      at,
      outcome: effect === 'deny' ? 'deny' : 'admit',
      finding: { ...finding, check: 'policy', because: [finding] },
      policies: [{ policy: 'prod', hash: 'sha256:1', mode, finding, effect }],
      ...change,
    },
    { at },
  );
}
