import type { Readable } from 'node:stream';
import type { Digest } from '@bulla/trust/oci/digest';
import { openRecent } from '../bounds/recent.ts';
import type { ByteRange, Objects, Swept } from '../storage/objects.ts';
import type { Registers } from '../storage/registers.ts';
import { type PulledBlob, pullBlob } from './blob-pull.ts';
import { deleteBlob, type Mount, mountBlob, readBlob, requireBlob } from './blobs.ts';
import type { GatewayConfig } from './config.ts';
import { openContents } from './contents.ts';
import { collectGarbage } from './garbage/collect.ts';
import { openHoldings } from './garbage/holdings.ts';
import { markOrphans } from './garbage/orphans.ts';
import type { Taken } from './garbage/take-out.ts';
import type { Ground } from './ground.ts';
import { digestOfContent } from './keys.ts';
import { listCatalog, placeReferrers, placeTags } from './lists.ts';
import { type LookedPlace, lookAt } from './look.ts';
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
import type { Reference } from './names.ts';
import { type Place, type Places, placesOf } from './place.ts';
import type { GatewayPorts } from './ports.ts';
import { type Caller, type Pulled, type PullParts, pullManifest } from './pull.ts';
import { listReferrers, type ReferrersAsk, type ReferrersPage } from './referrers.ts';
import { isCompanionTag, listTags, type NamesPage, type PageQuery } from './tags.ts';
import {
  appendChunk,
  type Chunk,
  cancelUpload,
  finishUpload,
  startUpload,
  uploadSize,
} from './uploads.ts';
import { openUpstreams } from './upstream/open.ts';

/** What a registry is made of. */
export interface GatewayParts {
  readonly objects: Objects;
  readonly registers: Registers;
  readonly config: GatewayConfig;
  /** Access, verification and memory; `OPEN_PORTS` for a plain registry. */
  readonly ports: GatewayPorts;
  /** The present, for cells and grace periods. */
  readonly clock: () => Date;
}

/**
 * A registry without HTTP. Names, tags and digests that come in were checked by `names.ts`. Each
 * method is documented where it is written; faults are those of `gateway.*`, `upstream.*`, `json.*`
 * and `storage.*`. What takes a repository's name works on this registry's own repositories and
 * asks nobody for leave; what takes a `Place` also reaches upstreams, and the pulls decide.
 */
export interface Gateway {
  readonly config: GatewayConfig;
  readonly ports: GatewayPorts;
  readonly places: Places;
  /** What the product API lists from. */
  readonly ground: Ground;
  pullManifest(place: Place, reference: Reference, caller: Caller): Promise<Pulled>;
  pullBlob(
    place: Place,
    digest: Digest,
    caller: Caller,
    onlyExistence: boolean,
  ): Promise<PulledBlob>;
  /** For doors that decide about an image and serve nothing. */
  lookAt(place: Place): LookedPlace;
  placeReferrers(place: Place, subject: Digest, ask: ReferrersAsk): Promise<ReferrersPage>;
  placeTags(place: Place, query: PageQuery): Promise<NamesPage>;
  listCatalog(query: PageQuery, may: (repository: string) => boolean): Promise<NamesPage>;
  requireBlob(repository: string, digest: Digest): Promise<number>;
  readBlob(digest: Digest, range: ByteRange): Promise<Uint8Array | Readable>;
  mountBlob(repository: string, digest: Digest, mount: Mount): Promise<boolean>;
  deleteBlob(repository: string, digest: Digest): Promise<void>;
  startUpload(repository: string, like: 'sha256' | 'sha512'): Promise<string>;
  uploadSize(repository: string, upload: string): Promise<number>;
  appendChunk(repository: string, upload: string, chunk: Chunk): Promise<number>;
  finishUpload(
    repository: string,
    upload: string,
    digest: Digest,
    uploader?: string | null,
  ): Promise<void>;
  cancelUpload(repository: string, upload: string): Promise<void>;
  findManifest(repository: string, reference: Reference): Promise<FoundManifest>;
  readManifest(digest: Digest): Promise<Uint8Array>;
  pushManifest(push: ManifestPush): Promise<PushedResult>;
  deleteManifest(repository: string, digest: Digest): Promise<void>;
  deleteTag(repository: string, tag: string): Promise<void>;
  listTags(repository: string, query: PageQuery): Promise<NamesPage>;
  listReferrers(repository: string, subject: Digest, ask: ReferrersAsk): Promise<ReferrersPage>;
  /**
   * Removes content that no repository has, and uploads that nobody goes on with. `elsewhere` says
   * whether an object that is none of the gateway's is wanted; without it all of those stay.
   */
  sweep(elsewhere?: (name: string) => Promise<boolean>): Promise<Swept>;
  /**
   * Lets repositories go of what nothing in them leads to any more, as `untaggedMs` says, and those of
   * upstreams of what nobody uses, as `cachedMs` says.
   */
  collect(): Promise<Taken>;
  /** Ends what is being fetched from upstreams. */
  close(): Promise<void>;
}

const ADMITTED_MOST = 10_000;

/**
 * A registry on a store. It keeps nothing of its own that a restart would lose. Throws
 * `upstream.config-invalid`.
 */
export function createGateway({ ports, ...parts }: GatewayParts): Gateway {
  const places = placesOf(parts.config);
  const contents = openContents(parts, parts.config, parts.clock);
  const ground: Ground = { ...parts, known: new Set(), contents };
  const upstreams = openUpstreams(ground);
  const pulls = { ground, ports, upstreams, admitted: openRecent<true>(ADMITTED_MOST) };
  return {
    config: parts.config,
    ports,
    places,
    ground,
    pullManifest: (place, reference, caller) => pullManifest(pulls, place, reference, caller),
    pullBlob: (place, digest, caller, only) => pullBlob(pulls, place, digest, caller, only),
    lookAt: (place) => lookAt(pulls, place),
    placeReferrers: (place, subject, ask) => placeReferrers(pulls, place, subject, ask),
    placeTags: (place, query) => placeTags(pulls, place, query),
    listCatalog: (query, may) => listCatalog(ground, places, query, may),
    ...storeMethods(pulls, places),
    sweep: (elsewhere) => sweepGateway(ground, elsewhere),
    collect: () => collectGarbage(ground),
    close: () => upstreams.blobs.close(),
  };
}

type StoreMethods = Omit<
  Gateway,
  | 'config'
  | 'ports'
  | 'places'
  | 'ground'
  | 'sweep'
  | 'collect'
  | 'close'
  | 'listCatalog'
  | `pull${string}`
  | 'lookAt'
  | `place${string}`
>;

function storeMethods(parts: PullParts, places: Places): StoreMethods {
  const { ground } = parts;
  return {
    requireBlob: (repository, digest) => requireBlob(ground, repository, digest),
    readBlob: (digest, range) => readBlob(ground, digest, range),
    mountBlob: (repository, digest, mount) => mountBlob(ground, repository, digest, mount),
    deleteBlob: (repository, digest) => deleteBlob(ground, repository, digest),
    startUpload: (repository, like) => startUpload(ground, repository, like),
    uploadSize: (repository, upload) => uploadSize(ground, repository, upload),
    appendChunk: (repository, upload, chunk) => appendChunk(ground, repository, upload, chunk),
    finishUpload: (repository, upload, digest, uploader) =>
      finishUpload(ground, repository, upload, digest, uploader),
    cancelUpload: (repository, upload) => cancelUpload(ground, repository, upload),
    findManifest: (repository, reference) => findManifest(ground, repository, reference),
    readManifest: (digest) => readManifest(ground, digest),
    pushManifest: (push) => pushAndNote(parts, places.locate(push.repository), push),
    deleteManifest: (repository, digest) => deleteManifest(ground, repository, digest),
    deleteTag: (repository, tag) => deleteTag(ground, repository, tag),
    listTags: (repository, query) => listTags(ground, repository, query),
    listReferrers: (repository, subject, ask) => listReferrers(ground, repository, subject, ask),
  };
}

/** A push ends the refusals of its repository (semantics 14), and its tags are remembered. */
async function pushAndNote(
  { ground, ports }: PullParts,
  { canonical }: Place,
  push: ManifestPush,
): Promise<PushedResult> {
  try {
    const pushed = await pushManifest(ground, push);
    const tags = 'tag' in push.reference ? [push.reference.tag] : push.tags;
    for (const tag of tags) {
      // Lists of signatures change with each; an image under such a tag is noted when it is pulled.
      if (isCompanionTag(tag)) continue;
      await ports.history.seen(canonical, tag, pushed.digest, ground.clock());
    }
    return pushed;
  } finally {
    // Also after a fault: a part of the push may have been written.
    const { verification } = ports;
    if (verification.kind === 'policies') await verification.forgetRefusals(canonical);
  }
}

async function sweepGateway(
  ground: Ground,
  elsewhere: (name: string) => Promise<boolean> = async () => true,
): Promise<Swept> {
  const { graceMs, uploadMs } = ground.config;
  const holdings = openHoldings(ground);
  await markOrphans(ground, holdings);
  return ground.objects.sweep({
    at: ground.clock(),
    graceMs,
    stagedMs: uploadMs,
    wanted: async (name) => {
      const digest = digestOfContent(name);
      // What the registry did not name is not its to judge.
      return digest === null ? elsewhere(name) : holdings.isHeld(digest);
    },
  });
}
