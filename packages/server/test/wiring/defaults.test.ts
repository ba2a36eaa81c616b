import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACCESS_CONFIG } from '../../src/access/config.ts';
import { CONFIG_DEFAULTS } from '../../src/config/config.ts';
import { DECISION_LIMITS } from '../../src/decision/service.ts';
import { GATEWAY_CONFIG } from '../../src/gateway/config.ts';
import { UPSTREAM_CONFIG } from '../../src/gateway/upstream/config.ts';
import { HTTP_LIMITS } from '../../src/http/limits.ts';
import { RECORD_CONFIG } from '../../src/record/config.ts';

test('what holds where nothing is configured is what each room does by itself', () => {
  const { gateway, record, access, limits } = CONFIG_DEFAULTS;
  assert.deepEqual(
    {
      tagFreshnessMs: gateway.tagFreshnessMs,
      maxBlobBytes: gateway.maxBlobBytes,
      maxManifestBytes: gateway.maxManifestBytes,
      graceMs: gateway.graceMs,
      untaggedMs: gateway.untaggedMs,
      cachedMs: gateway.cachedMs,
      upstreams: gateway.upstreams,
      aliases: CONFIG_DEFAULTS.aliases,
    },
    {
      tagFreshnessMs: GATEWAY_CONFIG.tagFreshnessMs,
      maxBlobBytes: GATEWAY_CONFIG.maxBlobBytes,
      maxManifestBytes: GATEWAY_CONFIG.maxManifestBytes,
      graceMs: GATEWAY_CONFIG.graceMs,
      untaggedMs: GATEWAY_CONFIG.untaggedMs,
      cachedMs: GATEWAY_CONFIG.cachedMs,
      upstreams: GATEWAY_CONFIG.upstreams,
      aliases: GATEWAY_CONFIG.aliases,
    },
  );
  assert.equal(gateway.cacheMaxAgeMs, DECISION_LIMITS.passMs);
  assert.equal(gateway.anonymousPull, ACCESS_CONFIG.anonymousPull);
  assert.deepEqual(record, {
    headEveryMs: RECORD_CONFIG.headEveryMs,
    retentionMs: RECORD_CONFIG.retentionMs,
    groupMs: RECORD_CONFIG.gatherMs,
  });
  assert.deepEqual(access, {
    sessionMs: ACCESS_CONFIG.sessionMs,
    sessionIdleMs: ACCESS_CONFIG.sessionIdleMs,
    tokenMaxMs: ACCESS_CONFIG.tokenMostMs,
  });
  assert.deepEqual(limits, {
    requestsPerSecond: HTTP_LIMITS.rate?.perSecond,
    burst: HTTP_LIMITS.rate?.burst,
    connections: HTTP_LIMITS.connections,
    connectionsPerCaller: HTTP_LIMITS.callerConnections,
    headerBytes: HTTP_LIMITS.headerBytes,
    drainMs: HTTP_LIMITS.drainMs,
  });
  assert.equal(UPSTREAM_CONFIG.timeoutMs, 15_000);
});
