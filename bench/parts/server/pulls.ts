import { pairRates, type Row } from '../../pairing.ts';
import { countFsyncs } from './fsyncs.ts';
import { LOADER, type Load, type Loaded, load } from './load.ts';
import type { RunningBulla } from './running.ts';
import { PREFIXED, REPOSITORY, type Stage } from './stage.ts';

const CONNECTIONS = 16;
const SECONDS = 3;
const ROUNDS = 5;

type By = 'digest' | 'tag';

function pathsOf(stage: Stage, repository: string, by: By): readonly string[] {
  return stage.images.map((image) => `/v2/${repository}/manifests/${image[by]}`);
}

function loadOf(stage: Stage, host: string, by: By): Load {
  const isRegistry = host === stage.cache.host || host === stage.upstream.host;
  const repository = isRegistry ? REPOSITORY : PREFIXED;
  const paths = pathsOf(stage, repository, by);
  return { host, paths, connections: CONNECTIONS, seconds: SECONDS };
}

async function rateOf(wanted: Load): Promise<number> {
  const { requests, seconds } = await load(wanted);
  return requests / seconds;
}

/** Manifest pulls a second beside Debian's registry, both as caches of one upstream. */
export async function pullRows(stage: Stage): Promise<readonly Row[]> {
  await using bulla = await stage.serve();
  const rows = [await pullRow(stage, bulla, 'digest', 5), await pullRow(stage, bulla, 'tag', 5)];
  await using asking = await stage.serve({ tagFreshness: '0s' });
  const always = await pullRow(stage, asking, 'tag', null);
  // What no cache that asks each time can exceed.
  const bound = await rateOf(loadOf(stage, stage.upstream.host, 'tag'));
  const asked = {
    ...always,
    name: `${always.name}, the upstream asked each time by both`,
    figures: `${always.figures}; the upstream itself ${bound.toFixed(0)}`,
  };
  return [...rows, asked];
}

async function pullRow(
  stage: Stage,
  bulla: RunningBulla,
  by: By,
  goal: number | null,
): Promise<Row> {
  const paired = await pairRates(
    () => rateOf(loadOf(stage, stage.cache.host, by)),
    () => rateOf(loadOf(stage, bulla.host, by)),
    ROUNDS,
  );
  return {
    name: `manifest pulls by ${by} of admitted images`,
    figures: `${paired.b.toFixed(0)} a second, docker-registry ${paired.a.toFixed(0)}; ${CONNECTIONS} connections, loader ${LOADER}`,
    ratio: paired.ratio,
    unit: '× docker-registry',
    goal: goal === null ? null : { at: 'least', value: goal },
  };
}

/** What recording costs the disk: fsyncs while pulls are answered, and what was recorded of them. */
export async function fsyncRow(stage: Stage): Promise<Row | null> {
  const counted = await countFsyncs(
    async (under) => {
      const bulla = await stage.serve({ under });
      // What is written when an image comes is no price of pulling it again.
      await load({ ...loadOf(stage, bulla.host, 'digest'), seconds: 1 });
      return bulla;
    },
    ({ host }) => recordedBy(host, () => load(loadOf(stage, host, 'digest'))),
  );
  if (counted === null) return null;
  const { loaded, recorded } = counted.result;
  return {
    name: 'fsyncs a second under manifest pulls, record on',
    figures: `${counted.fsyncs} fsyncs for ${loaded.requests} pulls and ${recorded} decisions recorded`,
    ratio: counted.fsyncs / loaded.seconds,
    unit: 'a second',
    goal: null,
  };
}

interface Recorded {
  readonly loaded: Loaded;
  readonly recorded: number;
}

async function recordedBy(host: string, work: () => Promise<Loaded>): Promise<Recorded> {
  const before = await decisions(host);
  const loaded = await work();
  return { loaded, recorded: (await decisions(host)) - before };
}

/** Decisions that the record has kept so far, counted repetitions included. */
async function decisions(host: string): Promise<number> {
  const text = await (await fetch(`http://${host}/metrics`)).text();
  const counts = [...text.matchAll(/^bulla_decisions_total\{[^}]*\} (\d+)/gm)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}
