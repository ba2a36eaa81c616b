import { protoField } from '../bytes/protojson.ts';
import { asInstant, type Cursor, optional } from '../bytes/shape.ts';
import type { ValidityPeriod } from '../crypto/validity-period.ts';

/** A `TimeRange`; each bound, and the whole, may be absent (sigstore_common.proto). */
export function parsePeriod(at: Cursor): ValidityPeriod {
  const range = optional(at, (field) => ({
    start: optional(protoField(field, 'start'), asInstant) ?? null,
    end: optional(protoField(field, 'end'), asInstant) ?? null,
  }));
  return range ?? { start: null, end: null };
}
