import type { HttpReply } from '../exchange.ts';
import { publicFault } from '../public-fault.ts';
import { allowedOf } from './match.ts';

/** A fault as a JSON problem (RFC 9457): `status`, `code`, `message`, `remedy`. */
export function problem(error: Error): HttpReply {
  const told = publicFault(error);
  const { status } = told;
  const allow = allowedOf(error);
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      // RFC 9110 §15.5.2: a 401 names a scheme. No browser asks for a password over this one.
      ...(status === 401 ? { 'www-authenticate': 'Bearer realm="bulla"' } : {}),
      ...(allow === null ? {} : { allow }),
    },
    body: JSON.stringify(told),
  };
}
