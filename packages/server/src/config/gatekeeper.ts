import { optional, readFields, required } from '@bulla/trust/bytes/yaml/fields';
import { durationMsOf } from '@bulla/trust/bytes/yaml/quantity';
import { addProblem, oneOf, type Read } from '@bulla/trust/bytes/yaml/read';
import { originOf } from './address.ts';
import type { GatekeeperSection } from './config.ts';

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
        listen: required(readTlsAddress),
        certificate: required(readPath),
        key: required(readPath),
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

/** An address of a port that speaks TLS alone: Kubernetes and Gatekeeper call nothing else. */
export const readTlsAddress: Read<string> = (at) => {
  const url = originOf('an address such as https://0.0.0.0:8444')(at);
  if (url === undefined) return undefined;
  if (url.protocol !== 'https:') {
    return addProblem(at, `expected https:// at ${at.place.path}, found ${url.origin}`);
  }
  return `https://${url.hostname}:${url.port === '' ? '443' : url.port}`;
};
