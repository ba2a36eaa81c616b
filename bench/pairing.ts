/** The median of some figures. */
export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** One timed side of a comparison: resolves when one round of its work is done. */
export type Side = () => Promise<void> | void;

/** What two sides came to, in milliseconds a round, and the ratios pair by pair. */
export interface Paired {
  readonly a: number;
  readonly b: number;
  /** Median of b / a over the pairs: below 1, b is faster. */
  readonly ratio: number;
}

async function timed(side: Side): Promise<number> {
  const start = performance.now();
  await side();
  return performance.now() - start;
}

/**
 * Runs both sides in turn, A B A B …, so that a machine whose speed drifts slows both alike. The
 * first `warmup` pairs are not counted.
 */
export async function pair(a: Side, b: Side, rounds: number, warmup = 2): Promise<Paired> {
  const as: number[] = [];
  const bs: number[] = [];
  for (let round = 0; round < rounds + warmup; round++) {
    const first = await timed(a);
    const second = await timed(b);
    if (round < warmup) continue;
    as.push(first);
    bs.push(second);
  }
  return {
    a: median(as),
    b: median(bs),
    ratio: median(bs.map((b2, index) => b2 / (as[index] ?? 1))),
  };
}

/** What two sides reached, and the ratios pair by pair. */
export interface PairedRates {
  readonly a: number;
  readonly b: number;
  /** Median of b / a over the pairs: above 1, b is faster. */
  readonly ratio: number;
}

/**
 * Runs two sides in turn, A B A B …, each of which answers with the rate that it reached. The first
 * pair is not counted: caches are filled in it.
 */
export async function pairRates(
  a: () => Promise<number>,
  b: () => Promise<number>,
  rounds: number,
): Promise<PairedRates> {
  const as: number[] = [];
  const bs: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const first = await a();
    const second = await b();
    if (round === 0) continue;
    as.push(first);
    bs.push(second);
  }
  return {
    a: median(as),
    b: median(bs),
    ratio: median(bs.map((rate, index) => rate / (as[index] ?? Number.NaN))),
  };
}

/** One line of the report: what was compared, the figures, the ratio and its goal. */
export interface Row {
  readonly name: string;
  readonly figures: string;
  readonly ratio: number;
  readonly unit: string;
  /** `>=` or `<=` a number; absent where only the figure is wanted. */
  readonly goal: { readonly at: 'least' | 'most'; readonly value: number } | null;
}

/** A row as text: `MET`, `MISSED`, or nothing where there is no goal. */
export function printRow(row: Row): void {
  const { goal } = row;
  const met =
    goal === null || (goal.at === 'least' ? row.ratio >= goal.value : row.ratio <= goal.value);
  const target =
    goal === null
      ? ''
      : `goal ${goal.at === 'least' ? '≥' : '≤'} ${goal.value}  ${met ? 'MET' : 'MISSED'}`;
  console.log(`${row.name.padEnd(58)} ${row.ratio.toFixed(2)} ${row.unit}  ${target}`);
  console.log(`    ${row.figures}`);
}
