import type { Migration } from 'kysely/migration';
import { ACCESS } from './migrations/access.ts';
import { EXCEPTION_REQUESTERS } from './migrations/exception-requesters.ts';
import { EXCEPTIONS } from './migrations/exceptions.ts';
import { GATEWAY } from './migrations/gateway.ts';
import { RECORD } from './migrations/record.ts';
import { REGISTERS } from './migrations/registers.ts';
import { SIMULATIONS } from './migrations/simulations.ts';
import { STREAM } from './migrations/stream.ts';

/** Every migration by its name; they run in the order of the names, and none ever changes. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-registers': REGISTERS,
  '0002-access': ACCESS,
  '0003-record': RECORD,
  '0004-gateway': GATEWAY,
  '0005-exceptions': EXCEPTIONS,
  '0006-stream': STREAM,
  '0007-simulations': SIMULATIONS,
  '0008-exception-requesters': EXCEPTION_REQUESTERS,
};
