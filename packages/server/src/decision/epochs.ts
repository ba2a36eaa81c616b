import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { Registers } from '../storage/registers.ts';

/** What raises which counter: a push to one repository, or a revocation or exception anywhere. */
export type EpochName = 'revocation' | 'exception' | `push/${string}`;

/**
 * Counters in shared storage. What was cached under one value of a counter does not hold under
 * another, so raising it ends the cached decisions of all replicas (semantics 14).
 */
export interface Epochs {
  /** The counter's value now; 0 when nobody has raised it. */
  read(name: EpochName): Promise<number>;
  /** As `read`, but a value read less than a second ago is as good. */
  recent(name: EpochName): Promise<number>;
  /** As `recent`, at once: null where no value that is fresh enough is at hand. */
  peek(name: EpochName): number | null;
  /** Raises the counter by one, durably. */
  raise(name: EpochName): Promise<void>;
}

const FRESH_MS = 1000;
const ATTEMPTS = 32;

/** Epochs as cells `epochs/<name>`. `now` is a monotonic clock in milliseconds. */
export function openEpochs(registers: Registers, now: () => number): Epochs {
  const seen = new Map<EpochName, Seen>();
  const read = async (name: EpochName) =>
    counterOf(name, (await registers.read(keyOf(name)))?.value ?? null);
  return {
    read,
    recent(name) {
      const known = seen.get(name);
      if (known !== undefined && now() - known.at < FRESH_MS) return known.value;
      const value = read(name);
      const entry: Seen = { at: now(), value, known: null };
      seen.set(name, entry);
      value.then(
        (counter) => {
          entry.known = counter;
        },
        // A reading that failed is not remembered: the next caller asks again.
        () => seen.delete(name),
      );
      return value;
    },
    peek(name) {
      const entry = seen.get(name);
      return entry !== undefined && now() - entry.at < FRESH_MS ? entry.known : null;
    },
    async raise(name) {
      const key = keyOf(name);
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const cell = await registers.read(key);
        const next = String(counterOf(name, cell?.value ?? null) + 1);
        const written = await registers.swap(key, cell?.version ?? null, Buffer.from(next));
        if (written === null) continue;
        seen.delete(name);
        return;
      }
      throw new TrustFault('storage.failed', `the counter ${name} is raised without a pause`);
    },
  };
}

interface Seen {
  readonly at: number;
  readonly value: Promise<number>;
  /** Null until the value is there. */
  known: number | null;
}

// Slashes of a repository would make segments of the key.
function keyOf(name: EpochName): string {
  return `epochs/${name.replaceAll('/', ':')}`;
}

function counterOf(name: EpochName, value: Uint8Array | null): number {
  if (value === null) return 0;
  const text = Buffer.from(value).toString('latin1');
  if (!/^\d{1,15}$/.test(text)) {
    throw new TrustFault('storage.corrupt', `the counter ${name} holds ${quote(text)}`);
  }
  return Number(text);
}
