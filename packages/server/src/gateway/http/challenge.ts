import type { HttpReply, HttpRequest } from '../../http/exchange.ts';
import type { AccessNeed, GatewayPorts } from '../ports.ts';
import type { Call } from './replies.ts';

/** A 401 says how to get credentials that would do (RFC 9110 §11.6.1); other replies are as they are. */
export function challenged(
  { access }: Pick<GatewayPorts, 'access'>,
  needs: AccessNeed,
  request: HttpRequest,
  reply: HttpReply,
): HttpReply {
  const challenge = reply.status === 401 ? access.challenge(request, needs) : null;
  if (challenge === null) return reply;
  return { ...reply, headers: { ...reply.headers, 'www-authenticate': challenge } };
}

/**
 * What nobody in particular is not given, somebody may be: a signer, a pusher, the uploader. Where pulls
 * are anonymous, clients that send credentials only when they are asked (containerd, oras) would never
 * send them, so a refusal of a request without any is a 401 with the same body. Who comes back with
 * a token for nobody gets the refusal as it is.
 */
export function askFirst(
  ports: Pick<GatewayPorts, 'access'>,
  needs: AccessNeed,
  { request, caller }: Call,
  reply: HttpReply,
): HttpReply {
  const isUnasked = request.header('authorization') === undefined;
  if (caller.principal.kind !== 'anonymous' || !isUnasked) return reply;
  const asking = challenged(ports, needs, request, { ...reply, status: 401 });
  return asking.headers?.['www-authenticate'] === undefined ? reply : asking;
}
