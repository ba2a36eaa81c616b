import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TrustFault } from '@bulla/trust/fault/fault';
import { chanceFrom, mutate } from './mutate.ts';
import type { Seed, Subject, Trial } from './parser.ts';

/** What a run over one parser came to. */
export interface FuzzResult {
  readonly runs: number;
  /** How many inputs parsed; none means that the mutations never got past the first check. */
  readonly accepted: number;
  readonly seconds: number;
  readonly failure: FuzzFailure | null;
}

export interface FuzzFailure {
  readonly input: Uint8Array;
  readonly why: string;
}

const POOL_MOST = 512;
const SLOWEST_MS = 4_000;

/**
 * Gives `subject` its seeds and then mutations of them for `seconds`. An input may be parsed or be
 * refused with a TrustFault other than `internal.defect`; anything else ends the run with the input
 * that did it, as does one input that takes over four seconds, or a seed set without any file.
 */
export async function fuzz(
  root: string,
  subject: Subject,
  { seconds, seed }: { readonly seconds: number; readonly seed: number },
): Promise<FuzzResult> {
  const attempt = await subject.load();
  const pool = readSeeds(root, subject);
  const chance = chanceFrom(seed);
  const started = performance.now();
  const spent = (): number => (performance.now() - started) / 1000;
  let runs = 0;
  let accepted = 0;
  const seedInputs = [...pool];
  while (seedInputs.length > 0 || spent() < seconds) {
    const parent = pool[chance(pool.length)] ?? new Uint8Array();
    const input = seedInputs.pop() ?? mutate(chance, parent, pool[chance(pool.length)] ?? parent);
    const outcome = await tryInput(attempt, input);
    runs += 1;
    if (outcome === 'accepted') {
      accepted += 1;
      // What still parses is worth changing further.
      if (pool.length < POOL_MOST) pool.push(input);
    } else if (outcome !== 'refused') {
      return { runs, accepted, seconds: spent(), failure: { input, why: outcome.why } };
    }
  }
  return { runs, accepted, seconds: spent(), failure: null };
}

async function tryInput(
  attempt: Trial,
  input: Uint8Array,
): Promise<'accepted' | 'refused' | { readonly why: string }> {
  const started = performance.now();
  let outcome: 'accepted' | 'refused' = 'accepted';
  try {
    // A copy: a parser that changes its input would spoil the evidence.
    await attempt(Uint8Array.from(input));
  } catch (error) {
    if (!(error instanceof TrustFault) || error.code === 'internal.defect') {
      return { why: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
    outcome = 'refused';
  }
  const tookMs = performance.now() - started;
  return tookMs > SLOWEST_MS ? { why: `took ${tookMs.toFixed(0)} ms` } : outcome;
}

function readSeeds(root: string, { name, seeds }: Subject): Uint8Array[] {
  return seeds.flatMap((seed): Uint8Array[] => {
    if ('text' in seed) return [Buffer.from(seed.text)];
    if ('hex' in seed) return [Buffer.from(seed.hex, 'hex')];
    const files = globSync(seed.files, { cwd: root })
      .sort()
      .map((path) => readFileSync(join(root, path)));
    const inputs = 'member' in seed ? files.flatMap((file) => memberOf(file, seed)) : files;
    if (inputs.length === 0) throw new Error(`${name}: no seed file matches ${seed.files}`);
    return inputs;
  });
}

/** The member of a JSON file as one input; none when the file does not have it. */
function memberOf(
  file: Buffer,
  seed: Extract<Seed, { readonly member: readonly string[] }>,
): Uint8Array[] {
  const document: unknown = JSON.parse(file.toString('utf8'));
  const value = seed.member.reduce<unknown>((at, key) => Reflect.get(Object(at), key), document);
  return typeof value === 'string'
    ? [Buffer.from(value, seed.as === 'base64' ? 'base64' : 'utf8')]
    : [];
}

/** Keeps a failing input as `.cache/fuzz/<parser>-<hash>`; returns that path from the root. */
export function keepInput(root: string, name: string, input: Uint8Array): string {
  const folder = '.cache/fuzz';
  const hash = createHash('sha256').update(input).digest('hex').slice(0, 12);
  mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, folder, `${name}-${hash}`), input);
  return `${folder}/${name}-${hash}`;
}
