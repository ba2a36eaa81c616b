import { asFault, type TrustFault } from '@bulla/trust/fault/fault';
import type { PolicySet } from '@bulla/trust/policy/policy-set';

/** The policies that decide now, and what is wrong with the files behind them, if anything is. */
export interface InForce {
  /** Null when none could be read: then everything is refused and the server is not ready (semantics 4). */
  readonly set: PolicySet | null;
  /** The file that each policy of the set was read from, by the policy's name. */
  readonly files: ReadonlyMap<string, string>;
  readonly loadedAt: Date;
  /** Why the files as they are now are not what is in force; null when they are. */
  readonly problem: TrustFault | null;
  /** Sentences for people: authorities that can never admit, and the like. */
  readonly warnings: readonly string[];
}

/** What one reading of the files gives. */
export interface LoadedSet {
  readonly set: PolicySet;
  readonly files: ReadonlyMap<string, string>;
  readonly warnings: readonly string[];
  /** Why a part is not in force as it stands, while the rest is; absent or null when all is. */
  readonly problem?: TrustFault | null;
}

/** How the policies come to be in force. */
export interface PoliciesOptions {
  /** Reads all files; throws `policy.unreadable` when one is gone, other faults when one is wrong. */
  load(): Promise<LoadedSet>;
  /** A text that changes whenever the files do; null when they cannot be looked at. */
  fingerprint(): Promise<string | null>;
  readonly clock: () => Date;
  readonly changed: (now: InForce) => void;
}

/** The policies in force, exchanged as a whole or not at all. */
export interface PoliciesInForce {
  current(): InForce;
  /** Reads the files now, whatever their fingerprint. */
  reload(): Promise<InForce>;
  /** Reads the files if they have changed; calls that overlap are one. */
  check(): Promise<void>;
}

const ATTEMPTS = 3;
const NONE = { set: null, files: new Map<string, string>(), warnings: [] } as const;

/**
 * Loads the policies. Files that are wrong when they are read again (one is half-written) leave the
 * former set in force, with a problem that every decision then shows; a named file that is gone
 * leaves none in force: a policy less must never admit more (semantics 4).
 */
export async function openPolicies(options: PoliciesOptions): Promise<PoliciesInForce> {
  let inForce: InForce = { ...NONE, loadedAt: options.clock(), problem: null };
  let print: string | null = null;
  let reading: Promise<InForce> | null = null;

  async function read(): Promise<InForce> {
    // What is read may name further files, and may change while it is read: until both agree.
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const before = await options.fingerprint();
      inForce = await readOnce(options, inForce);
      print = await options.fingerprint();
      if (print === before) break;
    }
    options.changed(inForce);
    return inForce;
  }
  const reload = () => {
    reading ??= read().finally(() => {
      reading = null;
    });
    return reading;
  };
  await reload();
  return {
    current: () => inForce,
    reload,
    async check() {
      const now = await options.fingerprint();
      if (now === null || now !== print || inForce.problem !== null) await reload();
    },
  };
}

async function readOnce(options: PoliciesOptions, before: InForce): Promise<InForce> {
  try {
    const { problem = null, ...loaded } = await options.load();
    return { ...loaded, loadedAt: options.clock(), problem };
  } catch (error) {
    const problem = asFault(error);
    if (problem.code === 'internal.defect') throw problem;
    return problem.code === 'policy.unreadable'
      ? { ...NONE, loadedAt: options.clock(), problem }
      : { ...before, problem };
  }
}
