import { optional, readFields, required } from '@bulla/trust/bytes/yaml/fields';
import { durationMsOf } from '@bulla/trust/bytes/yaml/quantity';
import { oneOf, type Read } from '@bulla/trust/bytes/yaml/read';
import type { GatekeeperSection } from './config.ts';
import { tlsPortFields } from './tls-port.ts';

const UNKNOWN = 'config.unknown-member';
const PIN: GatekeeperSection['reference'] = 'tag-and-digest';
const DEADLINE_MS = 2000;
/** Gatekeeper's validating webhook waits 3 s by default. */
const DEADLINE_MOST_MS = 2900;

const readPin: Read<GatekeeperSection['reference']> = oneOf(['tag-and-digest', 'digest']);

/** The provider of external data for Gatekeeper, on a TLS port of its own. */
export function gatekeeperOf(readPath: Read<string>): Read<GatekeeperSection> {
  return (at) => {
    const fields = readFields(
      at,
      {
        ...tlsPortFields(readPath),
        clientCa: required(readPath),
        reference: optional(readPin, PIN),
        deadline: optional(durationMsOf({ minMs: 100, maxMs: DEADLINE_MOST_MS }), DEADLINE_MS),
      },
      UNKNOWN,
    );
    if (fields === undefined) return undefined;
    const { deadline, ...rest } = fields;
    return { ...rest, deadlineMs: deadline };
  };
}
