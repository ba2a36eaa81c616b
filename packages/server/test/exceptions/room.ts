import { createPublicKey } from 'node:crypto';
import { publicKeyOf } from '@bulla/trust/crypto/public-key';
import type { Signer } from '@bulla/trust/crypto/signer';
import { TrustFault } from '@bulla/trust/fault/fault';
import { generatePrivateKey } from '@bulla/trust/keys/file/generate';
import { fileSigner } from '@bulla/trust/keys/file/signer';
import type { ExceptionDocument } from '@bulla/trust/policy/exceptions/document';
import {
  approveException,
  type ExceptionRequest,
  signException,
} from '@bulla/trust/policy/exceptions/sign';
import type { Clerk } from '../../src/exceptions/exception.ts';
import type { ExceptionAct } from '../../src/exceptions/ground.ts';
import { openRevokedMarks } from '../../src/exceptions/revoked.ts';
import { createExceptions, type ExceptionService } from '../../src/exceptions/service.ts';
import { openMemory } from '../../src/storage/memory/open.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openSqlite } from '../../src/storage/sqlite/open.ts';
import type { Tables } from '../../src/storage/tables.ts';

export const BEGIN = Date.parse('2026-11-21T12:00:00Z');
export const REPOSITORY = 'registry.example/prod/app';
export const DIGEST = `sha256:${'a'.repeat(64)}` as const;
export const OTHER_DIGEST = `sha256:${'b'.repeat(64)}` as const;

export const ANN: Clerk = { kind: 'user', id: 's1', name: 'ann', user: 'u-ann' };
export const ANNS_TOKEN: Clerk = {
  kind: 'token',
  id: 't1',
  name: 'token ci of ann',
  user: 'u-ann',
};
export const BOB: Clerk = { kind: 'user', id: 's2', name: 'bob', user: 'u-bob' };

/** A signer on a new key; a test's own. */
export async function newSigner(): Promise<Signer> {
  const key = await generatePrivateKey('ecdsa-p256');
  const publicKey = publicKeyOf(createPublicKey(key), 'a test');
  return fileSigner(key, { publicKey, name: 'a test key', warnings: [], ed25519: 'ed25519' });
}

/** A request by ann for an hour, signed. */
export async function request(
  change: Partial<ExceptionRequest> = {},
  signer?: Signer,
): Promise<ExceptionDocument> {
  const asked: ExceptionRequest = {
    name: 'hotfix-4711',
    kind: 'exception',
    repository: REPOSITORY,
    digest: DIGEST,
    lifts: [{ policy: 'production', clauses: [{ path: 'require', digest: DIGEST }] }],
    surfaces: null,
    namespaces: null,
    identity: 'ann@acme.example',
    reason: 'The build that signs is down',
    compensatingControl: 'Runs without network',
    issuedAt: new Date(BEGIN),
    expires: new Date(BEGIN + 3600_000),
    ...change,
  };
  return signException(asked, signer ?? (await newSigner()));
}

/** The request, approved by bob. */
export async function approved(document: ExceptionDocument): Promise<ExceptionDocument> {
  const approval = { identity: 'bob@acme.example', approvedAt: new Date(BEGIN) };
  return approveException(document, approval, await newSigner());
}

/** A document by which somebody breaks the glass for an hour. */
export function glass(change: Partial<ExceptionRequest> = {}): Promise<ExceptionDocument> {
  return request({ kind: 'break-glass', name: 'outage-12', compensatingControl: null, ...change });
}

/** Exceptions under test, on a SQLite database in memory. */
export interface RoomUnderTest extends AsyncDisposable {
  readonly service: ExceptionService;
  /** One more on the same tables. */
  another(): ExceptionService;
  readonly acts: ExceptionAct[];
  readonly alarms: string[];
  raised(): number;
  readonly time: { ms: number };
  /** What is answered by the policies in force. */
  readonly policies: { refusal: TrustFault | null };
  /** `kills`: the process ends when what it notes is durable, and before anything else. */
  readonly record: { fails: boolean; kills: boolean };
  readonly tables: Tables;
}

export async function openRoom(path = ':memory:'): Promise<RoomUnderTest> {
  const rows = await openSqlite(path);
  await migrate(rows, { clock: () => new Date() });
  const store = openMemory();
  const time = { ms: BEGIN };
  const acts: ExceptionAct[] = [];
  const alarms: string[] = [];
  const policies: { refusal: TrustFault | null } = { refusal: null };
  const record = { fails: false, kills: false };
  let raised = 0;
  const another = () =>
    createExceptions({
      tables: rows.tables,
      revokedMarks: openRevokedMarks(store.objects),
      note: (act) => {
        if (record.fails) return Promise.reject(new TrustFault('record.unavailable', 'no disk'));
        acts.push(act);
        if (record.kills) return Promise.reject(new Error('killed after its record'));
        return Promise.resolve();
      },
      raiseEpoch: () => {
        raised++;
        return Promise.resolve();
      },
      refusalOf: () => Promise.resolve(policies.refusal),
      metrics: { done: () => undefined },
      alarm: (message) => alarms.push(message),
      clock: () => new Date(time.ms),
    });
  return {
    service: another(),
    another,
    acts,
    alarms,
    raised: () => raised,
    time,
    policies,
    record,
    tables: rows.tables,
    async [Symbol.asyncDispose]() {
      await rows[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}
