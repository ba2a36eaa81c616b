import type { Readable } from 'node:stream';
import type { Digest } from '@bulla/trust/oci/digest';
import type { ByteRange, Objects, Swept } from '../storage/objects.ts';
import type { Registers } from '../storage/registers.ts';
import { deleteBlob, mountBlob, readBlob, requireBlob } from './blobs.ts';
import type { GatewayConfig } from './config.ts';
import { type Ground, isContentWanted } from './ground.ts';
import {
  deleteManifest,
  deleteTag,
  type FoundManifest,
  findManifest,
  type ManifestPush,
  type PushedResult,
  pushManifest,
  readManifest,
} from './manifests.ts';
import { digestOfContent, type Reference } from './names.ts';
import { listReferrers, type ReferrersAsk, type ReferrersPage } from './referrers.ts';
import { listRepositories, listTags, type NamesPage, type PageQuery } from './tags.ts';
import {
  appendChunk,
  type Chunk,
  cancelUpload,
  finishUpload,
  startUpload,
  uploadSize,
} from './uploads.ts';

/** What a registry is made of. */
export interface GatewayParts {
  readonly objects: Objects;
  readonly registers: Registers;
  readonly config: GatewayConfig;
  /** The present, for cells and grace periods. */
  readonly clock: () => Date;
}

/**
 * A registry without HTTP. Names, tags and digests that come in were checked by `names.ts`. Each
 * method is documented where it is written (`blobs.ts`, `uploads.ts`, `manifests.ts`, `tags.ts`,
 * `referrers.ts`); faults are those of `gateway.*`, `json.*` and `storage.*`.
 */
export interface Gateway {
  readonly config: GatewayConfig;
  requireBlob(repository: string, digest: Digest): Promise<number>;
  readBlob(digest: Digest, range: ByteRange): Promise<Uint8Array | Readable>;
  mountBlob(repository: string, digest: Digest, from: string | null): Promise<boolean>;
  deleteBlob(repository: string, digest: Digest): Promise<void>;
  startUpload(repository: string, like: 'sha256' | 'sha512'): Promise<string>;
  uploadSize(repository: string, upload: string): Promise<number>;
  appendChunk(repository: string, upload: string, chunk: Chunk): Promise<number>;
  finishUpload(repository: string, upload: string, digest: Digest): Promise<void>;
  cancelUpload(repository: string, upload: string): Promise<void>;
  findManifest(repository: string, reference: Reference): Promise<FoundManifest>;
  readManifest(digest: Digest): Promise<Uint8Array>;
  pushManifest(push: ManifestPush): Promise<PushedResult>;
  deleteManifest(repository: string, digest: Digest): Promise<void>;
  deleteTag(repository: string, tag: string): Promise<void>;
  listTags(repository: string, query: PageQuery): Promise<NamesPage>;
  listRepositories(query: PageQuery): Promise<NamesPage>;
  listReferrers(repository: string, subject: Digest, ask: ReferrersAsk): Promise<ReferrersPage>;
  /** Removes content that no repository has, and uploads that nobody goes on with. */
  sweep(): Promise<Swept>;
}

/** A registry on a store. It keeps nothing of its own that a restart would lose. */
export function createGateway(parts: GatewayParts): Gateway {
  const ground: Ground = { ...parts, known: new Set() };
  return {
    config: parts.config,
    requireBlob: (repository, digest) => requireBlob(ground, repository, digest),
    readBlob: (digest, range) => readBlob(ground, digest, range),
    mountBlob: (repository, digest, from) => mountBlob(ground, repository, digest, from),
    deleteBlob: (repository, digest) => deleteBlob(ground, repository, digest),
    startUpload: (repository, like) => startUpload(ground, repository, like),
    uploadSize: (repository, upload) => uploadSize(ground, repository, upload),
    appendChunk: (repository, upload, chunk) => appendChunk(ground, repository, upload, chunk),
    finishUpload: (repository, upload, digest) => finishUpload(ground, repository, upload, digest),
    cancelUpload: (repository, upload) => cancelUpload(ground, repository, upload),
    findManifest: (repository, reference) => findManifest(ground, repository, reference),
    readManifest: (digest) => readManifest(ground, digest),
    pushManifest: (push) => pushManifest(ground, push),
    deleteManifest: (repository, digest) => deleteManifest(ground, repository, digest),
    deleteTag: (repository, tag) => deleteTag(ground, repository, tag),
    listTags: (repository, query) => listTags(ground, repository, query),
    listRepositories: (query) => listRepositories(ground, query),
    listReferrers: (repository, subject, ask) => listReferrers(ground, repository, subject, ask),
    sweep: () => sweepGateway(ground),
  };
}

async function sweepGateway(ground: Ground): Promise<Swept> {
  const { graceMs, uploadMs } = ground.config;
  return ground.objects.sweep({
    at: ground.clock(),
    graceMs,
    stagedMs: uploadMs,
    wanted: async (name) => {
      const digest = digestOfContent(name);
      // What the registry did not name is not its to remove.
      return digest === null || isContentWanted(ground, digest);
    },
  });
}
