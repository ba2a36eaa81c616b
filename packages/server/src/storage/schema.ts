import type { AccessTables } from './schema/access.ts';
import type { ExceptionTables } from './schema/exceptions.ts';
import type { GatewayTables } from './schema/gateway.ts';
import type { RecordTables } from './schema/record.ts';
import type { RegisterTables } from './schema/registers.ts';
import type { SimulationTables } from './schema/simulations.ts';
import type { StreamTables } from './schema/stream.ts';

/** Every table of the server, one interface per area; `migrations/` makes them. */
export interface Database
  extends AccessTables,
    ExceptionTables,
    GatewayTables,
    RecordTables,
    RegisterTables,
    SimulationTables,
    StreamTables {}
