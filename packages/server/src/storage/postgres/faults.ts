import type { Code } from '@bulla/trust/fault/codes';
import { quote, TrustFault } from '@bulla/trust/fault/fault';

// https://www.postgresql.org/docs/current/errcodes-appendix.html
const BY_STATE: Readonly<Record<string, Code>> = {
  '22021': 'storage.value-invalid',
  '23505': 'storage.conflict',
  '40001': 'storage.busy',
  '40P01': 'storage.busy',
  '53100': 'storage.full',
  '53300': 'storage.busy',
  '55P03': 'storage.busy',
  XX001: 'storage.corrupt',
  XX002: 'storage.corrupt',
};
const LOST = /^(08|57P|25P03)/;

/** PostgreSQL's SQLSTATE of an error, or null for one of the network or of the driver. */
export function stateOf(error: unknown): string | null {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  const told = error instanceof Error && 'severity' in error;
  return told && typeof code === 'string' ? code : null;
}

/** Whether the connection on which `error` came is of no more use. */
export function isLost(error: unknown): boolean {
  const state = stateOf(error);
  return state === null || LOST.test(state);
}

/** The fault of a statement on the database `shown`. */
export function faultOf(error: unknown, shown: string): TrustFault {
  if (error instanceof TrustFault) return error;
  const state = stateOf(error) ?? '';
  const other = state.startsWith('23') ? 'storage.constraint' : 'storage.failed';
  const code = BY_STATE[state] ?? other;
  const reason = error instanceof Error ? error.message : String(error);
  const told = state === '' ? quote(reason) : `${quote(reason)} (${state})`;
  return new TrustFault(code, `database ${quote(shown)}: ${told}`, undefined, { cause: error });
}
