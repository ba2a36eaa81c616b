import { required } from '@bulla/trust/bytes/yaml/fields';
import { addProblem, type Read } from '@bulla/trust/bytes/yaml/read';
import { originOf } from './address.ts';

/** The members by which a section names a TLS port of its own, and what it shows there. */
export function tlsPortFields(readPath: Read<string>) {
  return {
    listen: required(readTlsAddress),
    certificate: required(readPath),
    key: required(readPath),
  };
}

/** An address of a port that speaks TLS alone: Kubernetes and Gatekeeper call nothing else. */
const readTlsAddress: Read<string> = (at) => {
  const url = originOf('an address such as https://0.0.0.0:8444')(at);
  if (url === undefined) return undefined;
  if (url.protocol !== 'https:') {
    return addProblem(at, `expected https:// at ${at.place.path}, found ${url.origin}`);
  }
  return `https://${url.hostname}:${url.port === '' ? '443' : url.port}`;
};
