import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { Cell, Registers } from './registers.ts';

/** Where the cells of leases lie. */
export const LEASES = 'leases/';

/** The right to do one piece of work, which one process at a time has. Disposing gives it back. */
export interface Lease extends AsyncDisposable {
  readonly name: string;
  /** Aborted when the lease was lost, or could not be renewed in time: stop the work. */
  readonly signal: AbortSignal;
}

/** How long somebody waits for a lease. */
export interface WaitOptions {
  readonly waitMs: number;
}

/** Leases on works by name. */
export interface Leases {
  /**
   * Takes the lease, or null while somebody holds it. A lease whose holder died is free again when
   * this was asked twice with the lease's time in between and it was not renewed meanwhile.
   */
  tryAcquire(name: string): Promise<Lease | null>;
  /** Takes the lease as soon as it is free. Throws `storage.lease-held` when that takes too long. */
  acquire(name: string, options: WaitOptions): Promise<Lease>;
}

/** How leases run. */
export interface LeaseOptions {
  readonly clock: () => Date;
  /** A lease that was not renewed for so long is over. Default ten seconds. */
  readonly ttlMs?: number;
}

const TTL_MS = 10_000;
const POLLS_PER_TTL = 20;
const RENEWALS_PER_TTL = 3;
const FORM = /^bulla-lease 1 ([0-9a-f]{24}) (\d{1,9})\n$/;

/**
 * Leases as cells `leases/<name>` of a room of registers. Clocks of two machines are never compared:
 * who waits watches the cell's version, and takes over when its own clock has gone on by the lease's
 * time without a renewal; the holder gives up, by its own clock, no later. A holder that slept
 * through its time learns of it by `signal`, so work whose result matters ends in a swap or a
 * transaction that fails when it came too late. Names are checked by `checkName`.
 */
export function leasesOf(registers: Registers, { clock, ttlMs = TTL_MS }: LeaseOptions): Leases {
  const seen = new Map<string, { readonly version: string; readonly since: number }>();

  /** Whether the cell's holder let its time pass, as far as this process has watched. */
  function isOver(name: string, cell: Cell): boolean {
    const now = clock().getTime();
    const time = timeOf(name, cell);
    const before = seen.get(name);
    if (before?.version !== cell.version) seen.set(name, { version: cell.version, since: now });
    return before?.version === cell.version && now - before.since >= time;
  }

  async function tryAcquire(name: string): Promise<Lease | null> {
    const key = LEASES + name;
    const cell = await registers.read(key);
    if (cell !== null && !isOver(name, cell)) return null;
    const holder = randomBytes(12).toString('hex');
    const value = Buffer.from(`bulla-lease 1 ${holder} ${ttlMs}\n`);
    const since = clock().getTime();
    const version = await registers.swap(key, cell?.version ?? null, value);
    if (version === null) return null;
    seen.delete(name);
    return hold({ name, registers, clock, ttlMs, value }, version, since);
  }

  return {
    tryAcquire,
    async acquire(name, { waitMs }) {
      const until = performance.now() + waitMs;
      for (;;) {
        const lease = await tryAcquire(name);
        if (lease !== null) return lease;
        if (performance.now() >= until) {
          throw new TrustFault('storage.lease-held', `${quote(name)} is held by another process`);
        }
        await sleep(ttlMs / POLLS_PER_TTL);
      }
    },
  };
}

interface Holding {
  readonly name: string;
  readonly registers: Registers;
  readonly clock: () => Date;
  readonly ttlMs: number;
  readonly value: Uint8Array;
}

/** A lease that was taken at `taken`, and that renews itself until it is given back. */
function hold(holding: Holding, taken: string, since: number): Lease {
  const { name, registers, clock, ttlMs, value } = holding;
  const key = LEASES + name;
  const lost = new AbortController();
  let version: string | null = taken;
  let renewed = since;
  let last: Promise<unknown> = Promise.resolve();

  async function renew(): Promise<void> {
    const at = clock().getTime();
    try {
      // Whether a swap that failed was written is told by the cell.
      version ??= await ownVersion(registers, key, value);
      const next = version === null ? null : await registers.swap(key, version, value);
      if (next === null) return lose();
      version = next;
      renewed = at;
    } catch {
      version = null;
      if (clock().getTime() - renewed >= ttlMs) lose();
    }
  }

  function lose(): void {
    clearInterval(timer);
    lost.abort(new TrustFault('storage.lease-held', `the lease on ${quote(name)} was lost`));
  }

  const timer = setInterval(() => {
    last = last.then(renew);
  }, ttlMs / RENEWALS_PER_TTL);
  timer.unref();
  return {
    name,
    signal: lost.signal,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await last;
      try {
        const own = version ?? (await ownVersion(registers, key, value));
        if (own !== null) await registers.delete(key, own);
      } catch {
        // It is over when its time has passed.
      }
    },
  };
}

/** The version of the cell if it still holds what this holder wrote: each draws its own name. */
async function ownVersion(
  registers: Registers,
  key: string,
  value: Uint8Array,
): Promise<string | null> {
  const cell = await registers.read(key);
  return cell !== null && Buffer.compare(cell.value, value) === 0 ? cell.version : null;
}

function timeOf(name: string, { value }: Cell): number {
  const text = Buffer.from(value).toString('latin1');
  const [, , time] = FORM.exec(text) ?? [];
  if (time !== undefined) return Number(time);
  throw new TrustFault('storage.corrupt', `the lease on ${quote(name)} holds ${quote(text)}`);
}
