import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DockerRegistry, startDockerRegistry } from '../../../test/docker-registry.ts';
import { type RunningBulla, type ServeConfig, startServe } from './running.ts';
import { type Ground, prepareGround, pushSignedImages, type SignedImage } from './signed-images.ts';

/** One upstream, and two caches of it: Debian's registry, and Bulla with its policy. */
export interface Stage extends AsyncDisposable {
  readonly ground: Ground;
  readonly upstream: DockerRegistry;
  readonly cache: DockerRegistry;
  readonly images: readonly SignedImage[];
  readonly layerDigest: string;
  /** One more Bulla with an empty data folder; whoever starts it ends it. */
  serve(options?: Pick<ServeConfig, 'tagFreshness' | 'under'>): Promise<RunningBulla>;
}

/** The repository of the upstream, which Bulla has below its prefix. */
export const REPOSITORY = 'bench/app';
export const PREFIXED = `hub/${REPOSITORY}`;
/** So many images are pulled in turn. */
const IMAGES = 32;
export const LAYER_BYTES = 64 << 20;

/** Starts the registries and fills the upstream; `program` is Debian's registry. */
export async function setStage(program: string): Promise<Stage> {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'bulla-bench-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const ground = await prepareGround(folder);
  const upstream = opened.use(await startDockerRegistry(program));
  const proxyOf = `http://${upstream.host}`;
  const cache = opened.use(await startDockerRegistry(program, { proxyOf }));
  const layer = randomBytes(LAYER_BYTES);
  const { images, layerDigest } = await pushSignedImages({
    repository: `${upstream.host}/${REPOSITORY}`,
    token: null,
    signer: ground.signer,
    count: IMAGES,
    layer,
  });
  let servers = 0;
  const life = opened.move();
  return {
    ground,
    upstream,
    cache,
    images,
    layerDigest,
    async serve(options = {}) {
      const own = join(folder, `serve-${servers++}`);
      await mkdir(own);
      const { policyFile } = ground;
      return startServe({ folder: own, policyFile, upstream: upstream.host, ...options });
    },
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  };
}
