import { pairRates, type Row } from '../../pairing.ts';
import { type Load, load } from './load.ts';
import { LAYER_BYTES, PREFIXED, REPOSITORY, type Stage } from './stage.ts';

const CONNECTIONS = 4;
const SECONDS = 3;
const ROUNDS = 5;
const MEBIBYTE = 1 << 20;

/** One large blob that both have stored, over several connections. */
export async function blobRow(stage: Stage): Promise<Row> {
  await using bulla = await stage.serve();
  const loadOf = (host: string, repository: string): Load => {
    const paths = [`/v2/${repository}/blobs/${stage.layerDigest}`];
    return { host, paths, connections: CONNECTIONS, seconds: SECONDS };
  };
  const cache = loadOf(stage.cache.host, REPOSITORY);
  const ours = loadOf(bulla.host, PREFIXED);
  // A blob is served because a manifest lists it, and that one is fetched when it is asked for.
  await whole(`http://${bulla.host}/v2/${PREFIXED}/manifests/${stage.images[0]?.digest}`);
  for (const { host, paths } of [cache, ours]) await whole(`http://${host}${paths[0]}`);
  const paired = await pairRates(
    () => throughput(cache),
    () => throughput(ours),
    ROUNDS,
  );
  return {
    name: `throughput of a stored blob of ${LAYER_BYTES / MEBIBYTE} MiB`,
    figures: `${paired.b.toFixed(0)} MiB/s, docker-registry ${paired.a.toFixed(0)} MiB/s; ${CONNECTIONS} connections`,
    ratio: paired.ratio,
    unit: '× docker-registry',
    goal: { at: 'least', value: 0.9 },
  };
}

async function throughput(wanted: Load): Promise<number> {
  const { bytes, seconds } = await load(wanted);
  return bytes / MEBIBYTE / seconds;
}

/** Pulls once, so that it is stored. */
async function whole(url: string): Promise<void> {
  const response = await fetch(url);
  const body = await response.arrayBuffer();
  if (!response.ok) throw new Error(`${url}: ${response.status} ${Buffer.from(body)}`);
}
