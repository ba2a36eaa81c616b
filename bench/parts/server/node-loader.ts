// `node node-loader.ts LOAD`: what wrk does, for machines without it, in a process of its own.
import { Agent, get } from 'node:http';
import { ACCEPT, type Load, type Report } from './load.ts';

const { host, paths, connections, seconds }: Load = JSON.parse(process.argv[2] ?? '');
const [hostname, port] = host.split(':');
const agent = new Agent({ keepAlive: true, maxSockets: connections });
const began = performance.now();
const until = began + seconds * 1000;
let at = 0;
let requests = 0;
let bytes = 0;
let errors = 0;

function one(): Promise<void> {
  const path = paths[at++ % paths.length] ?? '/';
  return new Promise((resolve) => {
    const failed = () => {
      errors += 1;
      resolve();
    };
    const headers = { accept: ACCEPT };
    get({ agent, hostname, port, path, headers }, (response) => {
      if (response.statusCode !== 200) errors += 1;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.once('error', failed);
      response.once('end', () => {
        requests += 1;
        resolve();
      });
    }).once('error', failed);
  });
}

async function lane(): Promise<void> {
  while (performance.now() < until) await one();
}

await Promise.all(Array.from({ length: connections }, lane));
const report: Report = { requests, bytes, errors, seconds: (performance.now() - began) / 1000 };
console.log(`REPORT ${JSON.stringify(report)}`);
agent.destroy();
