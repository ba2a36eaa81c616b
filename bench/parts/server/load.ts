import { spawn } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onPath } from '../../on-path.ts';

/** A load on one registry: the paths in turn, over and over, on so many connections. */
export interface Load {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  readonly paths: readonly string[];
  readonly connections: number;
  readonly seconds: number;
}

/** What was answered in the time of a load; every answer was a 200. */
export interface Loaded {
  readonly requests: number;
  /** Of the bodies and heads. */
  readonly bytes: number;
  readonly seconds: number;
}

/** The loader: `wrk` where it is installed, else a process of Node. */
export const LOADER: 'wrk' | 'node' = onPath('wrk') === null ? 'node' : 'wrk';

/** What clients send, so that registries answer with the manifest as it was pushed. */
export const ACCEPT = 'application/vnd.oci.image.manifest.v1+json';

/** Loads a registry from a process of its own. Rejects when any answer was not a 200. */
export async function load(wanted: Load): Promise<Loaded> {
  const { errors, ...loaded } = await (LOADER === 'wrk' ? byWrk(wanted) : byNode(wanted));
  if (errors > 0) throw new Error(`${errors} answers of ${wanted.host} were no 200`);
  return loaded;
}

/** A loader's own report. */
export interface Report extends Loaded {
  readonly errors: number;
}

async function byWrk({ host, paths, connections, seconds }: Load): Promise<Report> {
  const script = join(tmpdir(), `bulla-bench-${process.pid}.lua`);
  // Requests are made beforehand: the loader shares the machine with what it loads.
  await writeFile(
    script,
    `local requests = {}
local at = 0
function init(args)
  for index, path in ipairs({ ${paths.map((path) => JSON.stringify(path)).join(', ')} }) do
    requests[index] = wrk.format("GET", path, { ["Accept"] = "${ACCEPT}", ["Host"] = "${host}" })
  end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('REPORT {"requests":%d,"bytes":%.0f,"seconds":%f,"errors":%d}\\n',
    summary.requests, summary.bytes, summary.duration / 1e6,
    e.connect + e.read + e.write + e.status + e.timeout))
end
`,
  );
  try {
    const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '-s', script, `http://${host}`];
    return await reportOf('wrk', args);
  } finally {
    await rm(script, { force: true });
  }
}

function byNode(wanted: Load): Promise<Report> {
  const loader = fileURLToPath(new URL('node-loader.ts', import.meta.url));
  return reportOf(process.execPath, [loader, JSON.stringify(wanted)]);
}

function reportOf(program: string, args: readonly string[]): Promise<Report> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => {
      const report = /^REPORT (.*)$/m.exec(said)?.[1];
      if (report === undefined) reject(new Error(`${program} ended with ${code}: ${said}`));
      else resolve(JSON.parse(report));
    });
  });
}
