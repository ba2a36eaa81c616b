import { hash } from 'node:crypto';
import { mapBounded } from '@bulla/trust/oci/bounded';
import { keyPages } from '../storage/key-pages.ts';
import type { Registers } from '../storage/registers.ts';

/** All that must be the same for an earlier pass to stand in (semantics 3). */
export interface PassKey {
  readonly repository: string;
  readonly digest: string;
  readonly policyHash: string;
  readonly trustRootVersion: string;
  readonly revocationEpoch: number;
  /** As of the question: what credentials opened stands in for nobody without them. */
  readonly access: string | null;
}

/** The last pass of an image under a policy, in shared storage. */
export interface Passes {
  last(key: PassKey): Promise<Date | null>;
  /**
   * Notes a pass; one that is noted already less than a minute before `at` is left as it is.
   * `maxAgeMs` is how long the policy of the key lets it stand in.
   */
  note(key: PassKey, at: Date, maxAgeMs: number): Promise<void>;
}

const PASSES = 'passes/';
const COARSE_MS = 60_000;
/** Clocks of replicas differ by less than this. */
const SKEW_MS = 3600_000;
/** The longest that a policy can let a pass stand in; what older releases noted does not say it. */
const LONGEST_MS = 3650 * 24 * 3600_000;
const CELLS_AT_ONCE = 16;
const PAGE = 1000;

/** Passes as cells `passes/<digest of the key>`, each holding two instants: since and until when. */
export function openPasses(registers: Registers): Passes {
  const keyOf = ({ repository, digest, policyHash, ...rest }: PassKey) => {
    const { trustRootVersion, revocationEpoch, access } = rest;
    const own = [repository, digest, policyHash, trustRootVersion, revocationEpoch];
    return `${PASSES}${hash('sha256', JSON.stringify(access === null ? own : [...own, access]))}`;
  };
  return {
    async last(key) {
      const cell = await registers.read(keyOf(key));
      return cell === null ? null : (readPass(cell.value)?.at ?? null);
    },
    async note(key, at, maxAgeMs) {
      const cell = await registers.read(keyOf(key));
      const known = cell === null ? null : readPass(cell.value);
      if (known !== null && at.getTime() - known.at.getTime() < COARSE_MS) return;
      const until = new Date(at.getTime() + maxAgeMs);
      const value = Buffer.from(`${at.toISOString()} ${until.toISOString()}`);
      // Null means that another replica noted it just now, which is as good.
      await registers.swap(keyOf(key), cell?.version ?? null, value);
    },
  };
}

/**
 * Removes the passes that no policy lets stand in any more, and answers how many. None is missed: the
 * policy's hash is part of a pass's key, so no other policy, with a longer age, ever asks for it. One
 * that is noted anew meanwhile has another version, and stays.
 */
export async function sweepPasses(registers: Registers, at: Date): Promise<number> {
  const before = at.getTime() - SKEW_MS;
  let removed = 0;
  for await (const keys of keyPages(registers, PASSES, PAGE)) {
    const gone = await mapBounded(keys, CELLS_AT_ONCE, async (key) => {
      const cell = await registers.read(key);
      if (cell === null) return false;
      const pass = readPass(cell.value);
      // What cannot be read stands in for nothing.
      if (pass !== null && pass.until.getTime() >= before) return false;
      return registers.delete(key, cell.version);
    });
    removed += gone.filter(Boolean).length;
  }
  return removed;
}

interface Pass {
  readonly at: Date;
  readonly until: Date;
}

function readPass(value: Uint8Array): Pass | null {
  const [since = '', end] = Buffer.from(value).toString('latin1').split(' ');
  const at = new Date(since);
  const until = end === undefined ? new Date(at.getTime() + LONGEST_MS) : new Date(end);
  return Number.isNaN(at.getTime()) || Number.isNaN(until.getTime()) ? null : { at, until };
}
