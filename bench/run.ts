import { cpus } from 'node:os';
import { printRow, type Row } from './pairing.ts';
import { admissionRows } from './parts/admission.ts';
import { commandRows } from './parts/command.ts';
import { libraryRows } from './parts/library.ts';
import { nodeRows } from './parts/node.ts';
import { policyRows } from './parts/policy.ts';
import { reachRows } from './parts/reach.ts';
import { serverRows } from './parts/server.ts';

/** `npm run bench -- server policy` runs these parts only. */
const PARTS: Readonly<Record<string, () => AsyncIterable<Row> | Promise<readonly Row[]>>> = {
  library: libraryRows,
  policy: policyRows,
  command: commandRows,
  server: serverRows,
  admission: admissionRows,
  node: nodeRows,
  reach: reachRows,
};

const named = process.argv.slice(2);
const unknown = named.filter((name) => !Object.hasOwn(PARTS, name));
if (unknown.length > 0) {
  console.error(`expected some of ${Object.keys(PARTS).join(', ')}, found ${unknown.join(', ')}`);
  process.exit(2);
}
const [cpu] = cpus();
console.log(`Node ${process.versions.node}, ${cpus().length} × ${cpu?.model ?? 'unknown'}\n`);
for (const [name, rows] of Object.entries(PARTS)) {
  if (named.length > 0 && !named.includes(name)) continue;
  for await (const row of await rows()) printRow(row);
}
