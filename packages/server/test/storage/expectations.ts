import assert from 'node:assert/strict';
import type { Code } from '@bulla/trust/fault/codes';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { Sweep } from '../../src/storage/objects.ts';

/** One promise of a contract, tried on a new store. */
export interface Case<Contracts> {
  readonly name: string;
  run(store: Contracts): Promise<void>;
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);

export async function* chunks(...parts: readonly (string | Uint8Array)[]) {
  for (const part of parts) yield typeof part === 'string' ? text(part) : part;
}

export function faultOf(code: Code): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof TrustFault, `expected a fault, found ${String(error)}`);
    assert.equal(error.code, code, error.message);
    return true;
  };
}

export async function collect(stream: AsyncIterable<Uint8Array> | null): Promise<string> {
  assert.ok(stream !== null);
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts).toString();
}

export const sweepOf = (at: string, wanted: (name: string) => boolean = () => false): Sweep => ({
  at: new Date(at),
  graceMs: 1000,
  stagedMs: 3600_000,
  wanted: async (name) => wanted(name),
});
