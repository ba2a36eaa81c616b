import { randomBytes } from 'node:crypto';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { Registers } from '../storage/registers.ts';
import { parseKeys, type RegistryKey } from './parse.ts';

/** The keys that authenticate registry tokens, shared by all replicas. */
export interface RegistryKeys {
  /** The key to issue with, made when there is none or the newest has had its time. */
  current(): Promise<RegistryKey>;
  /** The key of this id, or null: there is none, or it is too old for any token to be valid. */
  find(id: string): Promise<RegistryKey | null>;
}

/** What `openRegistryKeys` stands on. */
export interface RegistryKeyParts {
  readonly registers: Registers;
  readonly clock: () => Date;
  readonly now: () => number;
  /** How long a key issues, and how long what it issued lives, in milliseconds. */
  readonly keyMs: number;
  readonly tokenMs: number;
}

const CELL = 'access/registry-token-keys';
const FRESH_MS = 60_000;
/** An unknown key may be one that another replica has just made; a guesser must not read each time. */
const AGAIN_MS = 1000;
const ATTEMPTS = 16;

interface Ring {
  readonly keys: readonly RegistryKey[];
  readonly version: string | null;
  readonly readAt: number;
}

/**
 * Keys in one cell. They are random, replaced every day, and forgotten when nothing that they
 * issued is valid any more: a copy of the data folder that leaks issues nothing the day after.
 */
export function openRegistryKeys(parts: RegistryKeyParts): RegistryKeys {
  const { registers, clock, now, keyMs, tokenMs } = parts;
  let ring: Ring | null = null;
  const ageOf = (key: RegistryKey) => clock().getTime() - key.created.getTime();
  const read = async (): Promise<Ring> => {
    const cell = await registers.read(CELL);
    const keys = cell === null ? [] : parseKeys(cell.value);
    ring = { keys, version: cell?.version ?? null, readAt: now() };
    return ring;
  };
  const recent = async (ms: number): Promise<Ring> =>
    ring !== null && now() - ring.readAt < ms ? ring : read();
  const valid = (key: RegistryKey) => ageOf(key) < keyMs + tokenMs;
  return {
    async current() {
      let seen = await recent(FRESH_MS);
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const [newest] = seen.keys;
        if (newest !== undefined && ageOf(newest) < keyMs) return newest;
        const keys = [newKey(clock()), ...seen.keys.filter(valid)];
        await registers.swap(CELL, seen.version, encodeKeys(keys));
        // Read also after a success: what counts is what the cell holds.
        seen = await read();
      }
      throw new TrustFault('storage.failed', `the cell ${CELL} is changed without a pause`);
    },
    async find(id) {
      const byId = ({ keys }: Ring) => keys.find((key) => key.id === id && valid(key)) ?? null;
      return byId(await recent(FRESH_MS)) ?? byId(await recent(AGAIN_MS));
    },
  };
}

function newKey(created: Date): RegistryKey {
  return { id: randomBytes(8).toString('hex'), secret: randomBytes(32), created };
}

function encodeKeys(keys: readonly RegistryKey[]): Uint8Array {
  const rows = keys.map(({ id, secret, created }) => ({
    id,
    secret: secret.toString('base64url'),
    created: created.toISOString(),
  }));
  return Buffer.from(JSON.stringify({ keys: rows }));
}
