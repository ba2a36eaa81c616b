import { hash } from 'node:crypto';
import type { Registers } from '../storage/registers.ts';

/** All that must be the same for an earlier pass to stand in (semantics 3). */
export interface PassKey {
  readonly repository: string;
  readonly digest: string;
  readonly policyHash: string;
  readonly trustRootVersion: string;
  readonly revocationEpoch: number;
}

/** The last pass of an image under a policy, in shared storage. */
export interface Passes {
  last(key: PassKey): Promise<Date | null>;
  /** Notes a pass; one that is noted already less than a minute before `at` is left as it is. */
  note(key: PassKey, at: Date): Promise<void>;
}

const COARSE_MS = 60_000;

/** Passes as cells `passes/<digest of the key>`, each holding an instant. */
export function openPasses(registers: Registers): Passes {
  const keyOf = (key: PassKey) =>
    `passes/${hash('sha256', JSON.stringify([key.repository, key.digest, key.policyHash, key.trustRootVersion, key.revocationEpoch]))}`;
  return {
    async last(key) {
      const cell = await registers.read(keyOf(key));
      return cell === null ? null : instantOf(cell.value);
    },
    async note(key, at) {
      const cell = await registers.read(keyOf(key));
      const known = cell === null ? null : instantOf(cell.value);
      if (known !== null && at.getTime() - known.getTime() < COARSE_MS) return;
      // Null means that another replica noted it just now, which is as good.
      await registers.swap(keyOf(key), cell?.version ?? null, Buffer.from(at.toISOString()));
    },
  };
}

function instantOf(value: Uint8Array): Date | null {
  const at = new Date(Buffer.from(value).toString('latin1'));
  return Number.isNaN(at.getTime()) ? null : at;
}
