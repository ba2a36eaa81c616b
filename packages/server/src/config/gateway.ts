import { optional, readFields } from '@bulla/trust/bytes/yaml/fields';
import { durationMsOf, sizeBytesOf } from '@bulla/trust/bytes/yaml/quantity';
import { addUnexpected, type Read } from '@bulla/trust/bytes/yaml/read';
import { CONFIG_DEFAULTS, type GatewaySection } from './config.ts';
import { readRegistryHost } from './registries.ts';
import type { Secret } from './secret.ts';
import { readRetention } from './settings.ts';
import { upstreamsOf } from './upstreams.ts';

const UNKNOWN = 'config.unknown-member';
const DAY_MS = 24 * 3600_000;

/** How the gateway serves, and which registries it pulls through. */
export function gatewayOf(readPath: Read<string>, readSecret: Read<Secret>): Read<GatewaySection> {
  const given = CONFIG_DEFAULTS.gateway;
  return (at) => {
    const fields = readFields(
      at,
      {
        name: optional(readRegistryHost, given.name),
        anonymousPull: optional(readAnonymousPull, given.anonymousPull),
        upstreams: optional(upstreamsOf(readPath, readSecret), given.upstreams),
        tagFreshness: optional(durationMsOf({ minMs: 0, maxMs: 3600_000 }), given.tagFreshnessMs),
        // Semantics 14: at most one hour, unless evidence expires before.
        cacheMaxAge: optional(durationMsOf({ minMs: 0, maxMs: DAY_MS }), given.cacheMaxAgeMs),
        maxBlobSize: optional(sizeBytesOf({ minBytes: 1 << 20 }), given.maxBlobBytes),
        // The specification wants 4 MiB to be accepted, and clients read no more.
        maxManifestSize: optional(
          sizeBytesOf({ minBytes: 1 << 16, maxBytes: 16 << 20 }),
          given.maxManifestBytes,
        ),
        grace: optional(durationMsOf({ minMs: 60_000 }), given.graceMs),
        keepUntagged: optional(readRetention, given.untaggedMs),
        keepCached: optional(readRetention, given.cachedMs),
      },
      UNKNOWN,
    );
    if (fields === undefined) return undefined;
    const {
      tagFreshness,
      cacheMaxAge,
      maxBlobSize,
      maxManifestSize,
      grace,
      keepUntagged,
      keepCached,
      ...rest
    } = fields;
    return {
      ...rest,
      tagFreshnessMs: tagFreshness,
      cacheMaxAgeMs: cacheMaxAge,
      maxBlobBytes: maxBlobSize,
      maxManifestBytes: maxManifestSize,
      graceMs: grace,
      untaggedMs: keepUntagged,
      cachedMs: keepCached,
    };
  };
}

const readAnonymousPull: Read<boolean | 'loopback'> = (at) => {
  const value = at.node?.kind === 'scalar' ? at.node.value : null;
  if (value === true || value === false || value === 'loopback') return value;
  return addUnexpected(at, 'true, false or loopback');
};
