import { ACCESS_CONFIG, type AccessConfig } from '../access/config.ts';
import { type AccessService, createAccess } from '../access/service.ts';
import type { ServerConfig } from '../config/config.ts';
import type { ServerStore } from '../storage/store.ts';
import type { Clocks } from './clocks.ts';

/** Users, tokens and sessions on the store, as the configuration wants them. */
export function wireAccess(
  config: Pick<ServerConfig, 'origin' | 'access' | 'gateway'>,
  { tables, registers }: ServerStore,
  { clock, now }: Clocks,
): AccessService {
  const { sessionMs, sessionIdleMs, tokenMaxMs } = config.access;
  const settings: AccessConfig = {
    ...ACCESS_CONFIG,
    anonymousPull: config.gateway.anonymousPull,
    origin: config.origin,
    sessionMs,
    sessionIdleMs,
    tokenMostMs: tokenMaxMs,
    tokenMs: Math.min(ACCESS_CONFIG.tokenMs, tokenMaxMs),
  };
  return createAccess({ tables, registers, config: settings, clock, now });
}
