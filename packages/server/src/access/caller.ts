import { isLoopbackAddress } from '@bulla/trust/oci/loopback';
import type { HttpRequest } from '../http/exchange.ts';
import { hostName } from '../http/host.ts';
import type { AccessConfig } from './config.ts';

/** The origin under which the caller reached this server; its Host was checked. */
export function originOf({ secure, host }: HttpRequest, { origin }: AccessConfig): string {
  return origin ?? `${secure ? 'https' : 'http'}://${host}`;
}

/**
 * Whether a request may pull without credentials. On loopback that holds for callers on this very
 * machine only: not for what a proxy on it forwards, and not for a web page whose name was bent to
 * lead here (DNS rebinding), which is why the Host must be a name of the loopback itself.
 */
export function mayPullAnonymously(request: HttpRequest, { anonymousPull }: AccessConfig): boolean {
  if (anonymousPull !== 'loopback') return anonymousPull;
  const listener = hostName(request.listener.replace(/^https?:\/\//, ''));
  return (
    isLoopbackAddress(listener) &&
    isLoopbackAddress(request.remoteAddress) &&
    isLoopbackName(hostName(request.host)) &&
    FORWARDING.every((name) => request.header(name) === undefined)
  );
}

const FORWARDING = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'];

// RFC 6761 §6.3: names below localhost lead to the loopback as well.
function isLoopbackName(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost') || isLoopbackAddress(name);
}
