/**
 * `npm run fuzz -- [--seconds N] [--seed N] [parser…]`: mutates the seeds of each parser for N
 * seconds (10) and fails when one throws anything but a TrustFault or writes back what it did not
 * read. The failing input is kept under `.cache/fuzz/`; the seed repeats the run.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PARSERS } from './fuzz/parsers.ts';
import { fuzz, keepInput } from './fuzz/run.ts';

const ROOT = join(import.meta.dirname, '..');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '10' }, seed: { type: 'string' } },
});
const seconds = Number(values.seconds);
const seed = Number(values.seed ?? Math.floor(Date.now() % 2 ** 32));
const unknown = positionals.filter((name) => !PARSERS.some((parser) => parser.name === name));
if (unknown.length > 0 || !(seconds > 0) || !Number.isSafeInteger(seed)) {
  console.error(`usage: npm run fuzz -- [--seconds N] [--seed N] [parser…]; the parsers are`);
  console.error(PARSERS.map(({ name }) => name).join(' '));
  process.exit(2);
}

for (const parser of PARSERS) {
  if (positionals.length > 0 && !positionals.includes(parser.name)) continue;
  const result = await fuzz(ROOT, parser, { seconds, seed });
  const rate = Math.round(result.runs / result.seconds);
  console.log(
    `${parser.name}: ${result.runs} inputs, ${result.accepted} accepted, ${rate}/s, seed ${seed}`,
  );
  if (result.failure === null) continue;
  const path = keepInput(ROOT, parser.name, result.failure.input);
  console.error(`${parser.name}: FAILED on ${path}\n${result.failure.why}`);
  process.exitCode = 1;
}
