import { codeEntry } from '@bulla/trust/fault/codes';
import { asFault } from '@bulla/trust/fault/fault';
import type { HttpReply } from '../exchange.ts';
import { allowedOf } from './match.ts';

/**
 * A fault as a JSON problem (RFC 9457): `status`, `code`, `message`, `remedy`. Faults of the server
 * itself (5xx) say what their code means and keep their message to the log.
 */
export function problem(error: Error): HttpReply {
  const fault = asFault(error);
  const { status, means, remedy } = codeEntry(fault.code);
  const own = status >= 500;
  const allow = allowedOf(fault);
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      // RFC 9110 §15.5.2: a 401 names a scheme. No browser asks for a password over this one.
      ...(status === 401 ? { 'www-authenticate': 'Bearer realm="bulla"' } : {}),
      ...(allow === null ? {} : { allow }),
    },
    body: JSON.stringify({
      status,
      code: fault.code,
      message: own ? means : fault.message,
      remedy: own ? remedy : fault.remedy,
    }),
  };
}
