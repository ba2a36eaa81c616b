import type { Code } from '@bulla/trust/fault/codes';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { type Failure, MOVED_ERRCODE } from './message.ts';

// https://www.sqlite.org/rescode.html; the low byte of an extended code is its primary one.
const UNIQUE: ReadonlySet<number> = new Set([1555, 2067, 2579]);
const PRIMARY: Readonly<Record<number, Code>> = {
  5: 'storage.busy',
  6: 'storage.busy',
  11: 'storage.corrupt',
  13: 'storage.full',
  19: 'storage.constraint',
  26: 'storage.corrupt',
};
/** SQLITE_IOERR_SHMSIZE: the index of the log could not grow, which needs nothing but room. */
const NO_ROOM = 4874;
const CANNOT_OPEN: ReadonlySet<number> = new Set([3, 8, 14, 23]);

/** The fault of a statement of the database `path` that SQLite refused. */
export function faultOf({ errcode, message }: Failure, path: string): TrustFault {
  if (errcode === MOVED_ERRCODE) {
    return new TrustFault('storage.moved', `${quote(path)}: ${message}`);
  }
  const known =
    errcode === NO_ROOM ? 'storage.full' : (PRIMARY[errcode & 0xff] ?? 'storage.failed');
  const code = UNIQUE.has(errcode) ? 'storage.conflict' : known;
  return new TrustFault(code, `${quote(path)}: ${quote(message)}`);
}

/** The fault of a database that SQLite could not open: `storage.folder-unsuitable` as well. */
export function openingFault(failure: Failure, path: string): TrustFault {
  const { errcode } = failure;
  if (errcode === MOVED_ERRCODE || !CANNOT_OPEN.has(errcode & 0xff)) return faultOf(failure, path);
  const message = `cannot open ${quote(path)}: ${quote(failure.message)}`;
  return new TrustFault('storage.folder-unsuitable', message);
}
