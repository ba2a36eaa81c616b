import { constants } from 'node:fs';
import { access as reach } from 'node:fs/promises';
import { join } from 'node:path';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { accountRoutes } from '../access/account-routes.ts';
import { OPERATOR_CALLER } from '../access/actor.ts';
import type { ServerConfig } from '../config/config.ts';
import { apiDoor } from '../http/api/door.ts';
import type { HttpReply, HttpRequest } from '../http/exchange.ts';
import { createLog } from '../http/log.ts';
import { RECORD_CONFIG } from '../record/config.ts';
import { recordedHost } from '../record/heads.ts';
import { RECORD_KEY_FILE, readRecordKey } from '../record/key.ts';
import type { Pruned } from '../record/prune.ts';
import { type GuardDossier, recordRoutes } from '../record/routes.ts';
import { createRecord, type RecordService } from '../record/service.ts';
import type { ServerStore } from '../storage/store.ts';
import { openStore, TABLES_FILE } from '../store.ts';
import { wireAccess } from './access.ts';
import type { Clocks } from './clocks.ts';
import { storeConfig } from './store-config.ts';

/** One call of the product API that comes by no listener. */
export interface OfflineCall {
  readonly method: string;
  /** Below `/api/bulla/v1`. */
  readonly segments: readonly string[];
  readonly query: Readonly<Record<string, string>>;
  readonly body: object | null;
}

/** The store of a server that does not run, for its operator. Disposing it closes the store. */
export interface Offline extends AsyncDisposable {
  /**
   * Answers a call of the routes of users, tokens, decisions and the record, as the operator. Throws
   * what the routes throw; a record that has no key or no name yet is `record.head-missing`.
   */
  call(call: OfflineCall): Promise<HttpReply>;
  /** As `RecordService.prune`. */
  prune(before: Date): Promise<Pruned>;
}

/**
 * Opens the store that a configuration names, for administration without a server; nothing in it is
 * made, signed or pruned that was not asked for. A data folder belongs to one process: beside a
 * running server it is `storage.locked`. Throws `server.data-missing` for a folder without data and
 * for a store in memory, `storage.*`.
 */
export async function openOffline(config: ServerConfig, clocks: Clocks): Promise<Offline> {
  const wired = storeConfig(config);
  if (wired.config.store === 'memory') throw missing('a store in memory ends with its server');
  if (wired.config.store === 'embedded') await requireData(wired.config.folder);
  await using opened = new AsyncDisposableStack();
  const store = opened.use(await openStore(wired.config, clocks));
  const { keyFolder } = wired;
  const log = createLog('silent');
  const parts = {
    authenticate: async () => OPERATOR_CALLER,
    log,
    info: { title: 'Bulla', version: '' },
  };
  const accounts = apiDoor(accountRoutes(wireAccess(config, store, clocks)), parts);
  let opening: Promise<RecordService> | null = null;
  // Users are administered also where the record cannot be opened.
  const record = () => {
    opening ??= openRecord(store, keyFolder, clocks).then((one) => {
      life.defer(() => one.close());
      return one;
    });
    return opening;
  };
  const life = opened.move();
  return {
    async call(call) {
      const isRecord = call.segments[0] === 'decisions' || call.segments[0] === 'record';
      const door = isRecord ? apiDoor(recordRoutes(await record(), HOLDER), parts) : accounts;
      return door.handle(requestOf(call));
    },
    async prune(before) {
      return (await record()).prune(before);
    },
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  };
}

/** Who holds the data folder has everything that is in it. */
const HOLDER: GuardDossier = () => undefined;

async function requireData(folder: string): Promise<void> {
  try {
    await reach(join(folder, TABLES_FILE), constants.F_OK);
  } catch {
    throw missing(`${quote(folder)} is no data folder: it has no ${TABLES_FILE}`);
  }
}

function missing(message: string): TrustFault {
  return new TrustFault('server.data-missing', message);
}

async function openRecord(
  { tables, objects }: ServerStore,
  keyFolder: string,
  { clock, now }: Clocks,
): Promise<RecordService> {
  const host = await recordedHost(tables);
  const signer = await readRecordKey(keyFolder);
  if (host === null || signer === null) {
    const lacks = signer === null ? `no ${RECORD_KEY_FILE} in ${quote(keyFolder)}` : 'no head';
    throw new TrustFault('record.head-missing', `the record cannot be opened: it has ${lacks}`);
  }
  return createRecord({
    tables,
    objects,
    signer,
    host,
    config: RECORD_CONFIG,
    upkeep: false,
    // Nothing is kept here, so there is nothing to count.
    metrics: { kept() {}, unavailable() {}, upkeepFailed() {} },
    clock,
    now,
  });
}

function requestOf({ method, segments, query, body }: OfflineCall): HttpRequest {
  const bytes = body === null ? null : Buffer.from(JSON.stringify(body));
  return {
    id: 'offline',
    method,
    segments,
    query: new URLSearchParams(query),
    header: (name) => (name === 'content-type' && bytes !== null ? 'application/json' : undefined),
    contentLength: bytes?.length ?? null,
    hasBody: bytes !== null,
    async *body() {
      if (bytes !== null) yield bytes;
    },
    remoteAddress: '',
    secure: true,
    host: 'localhost',
    listener: 'offline',
    clientCertificate: null,
  };
}
