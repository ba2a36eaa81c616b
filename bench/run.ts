import { cpus } from 'node:os';
import { printRow } from './pairing.ts';
import { commandRows } from './parts/command.ts';
import { libraryRows } from './parts/library.ts';
import { policyRows } from './parts/policy.ts';

const [cpu] = cpus();
console.log(`Node ${process.versions.node}, ${cpus().length} × ${cpu?.model ?? 'unknown'}\n`);
for (const row of await libraryRows()) printRow(row);
for (const row of await policyRows()) printRow(row);
for (const row of await commandRows()) printRow(row);
