import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../../src/http/log.ts';
import { startTelemetry } from '../../src/http/telemetry.ts';
import { requestOf } from './request.ts';

// A process of its own: the SDK registers itself once a process.
test('a collector that is gone ends nothing but is logged', async () => {
  const lines: string[] = [];
  const log = createLog('info', { write: (line) => lines.push(line) });
  const telemetry = await startTelemetry({ otlpEndpoint: 'http://127.0.0.1:1', version: '0', log });
  await telemetry.trace(requestOf(), '/v2', async () => ({ status: 200 }));
  await telemetry.close();
  await telemetry.close();
  assert.match(lines.join(''), /telemetry could not be sent[\s\S]*/);
});
