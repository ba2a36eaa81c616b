import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GATEWAY_CONFIG } from '../../src/gateway/config.ts';
import { contentName } from '../../src/gateway/keys.ts';
import { OPEN_PORTS } from '../../src/gateway/ports.ts';
import { createGateway } from '../../src/gateway/service.ts';
import { createLog } from '../../src/http/log.ts';
import { leasesOf } from '../../src/storage/lease.ts';
import { openStore } from '../../src/store.ts';
import { keepUp, UPKEEP } from '../../src/wiring/upkeep.ts';
import { openSetting } from '../access/setting.ts';
import { digestOf } from '../gateway/client.ts';

const clock = () => new Date();

test('content is swept by one server at a time: who does not get the lease leaves it', async () => {
  await using store = await openStore({ store: 'memory' }, { clock });
  const { access } = await openSetting(store);
  const gateway = createGateway({ ...store, config: GATEWAY_CONFIG, ports: OPEN_PORTS, clock });
  let renewed = 0;
  const renew = async () => {
    renewed += 1;
  };
  const parts = { gateway, access, tables: store.tables, renew, log: createLog('silent') };
  const name = contentName(digestOf('nobody has it'));
  await store.objects.put(name, Buffer.from('nobody has it'));
  await store.objects.delete(name, new Date(0));
  const leases = leasesOf(store.registers, { clock });
  {
    await using lease = await leasesOf(store.registers, { clock }).tryAcquire(UPKEEP);
    assert.ok(lease !== null);
    await keepUp(parts, leases);
    assert.ok((await store.objects.stat(name)) !== null);
    assert.equal(renewed, 1, 'what is of this server alone is done');
  }
  await keepUp(parts, leases);
  assert.equal(await store.objects.stat(name), null);
  // It was given back.
  await keepUp(parts, leasesOf(store.registers, { clock }));
  assert.equal(renewed, 3);
});
