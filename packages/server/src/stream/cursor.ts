import { parseJson } from '@bulla/trust/bytes/json';
import { asCount, asString, cursor, member, optional } from '@bulla/trust/bytes/shape';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { Registers } from '../storage/registers.ts';

/** How far a stream was sent, as its cell says. */
export interface StreamState {
  /** The last entry that is done with: sent, dead, or not wanted. */
  readonly seq: number;
  /** Its hash; empty: begin with whatever entry stands first. */
  readonly hash: string;
  /** Last entry of the batch that is under way: after a kill the same one is sent again. */
  readonly through: number | null;
  /** The entries up to `through` go one by one, since the batch as a whole was not taken. */
  readonly alone: boolean;
  /** Since when what comes next fails; null: it does not. */
  readonly failingSince: string | null;
  readonly reason: string | null;
}

/** A state with the version that a swap names. */
export interface StoredState {
  readonly state: StreamState;
  readonly version: string;
}

/** A stream that has done with everything up to an entry, and has nothing under way. */
export function stateAt(place: { readonly seq: number; readonly hash: string }): StreamState {
  const { seq, hash } = place;
  return { seq, hash, through: null, alone: false, failingSince: null, reason: null };
}

/** The state of a stream, or null before its first start. Throws `stream.state-corrupt`. */
export async function readState(registers: Registers, name: string): Promise<StoredState | null> {
  const cell = await registers.read(keyOf(name));
  if (cell === null) return null;
  const where = `the cell of stream ${quote(name)}`;
  return { state: parseState(cell.value, where), version: cell.version };
}

/** Writes the state if nobody wrote it meanwhile; null: somebody did. */
export async function writeState(
  registers: Registers,
  name: string,
  expected: string | null,
  state: StreamState,
): Promise<StoredState | null> {
  const value = Buffer.from(JSON.stringify(state));
  const version = await registers.swap(keyOf(name), expected, value);
  return version === null ? null : { state, version };
}

function keyOf(name: string): string {
  return `streams/${name}`;
}

function parseState(bytes: Uint8Array, where: string): StreamState {
  const code = 'stream.state-corrupt';
  try {
    const at = cursor(parseJson(bytes, where), where, code);
    return {
      seq: asCount(member(at, 'seq')),
      hash: asString(member(at, 'hash')),
      through: optional(member(at, 'through'), asCount) ?? null,
      alone: member(at, 'alone').value === true,
      failingSince: optional(member(at, 'failingSince'), asString) ?? null,
      reason: optional(member(at, 'reason'), asString) ?? null,
    };
  } catch (cause) {
    throw new TrustFault(code, `${where} is not a stream's state`, undefined, { cause });
  }
}
