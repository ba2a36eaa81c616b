import { spawn } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Reviews sent to a webhook's port, over and over, on so many kept TLS connections. */
export interface ReviewLoad {
  readonly port: number;
  /** With its query. */
  readonly path: string;
  readonly bodies: readonly string[];
  readonly connections: number;
  readonly seconds: number;
}

/** What a load came to; every answer was a 200. */
export interface ReviewsLoaded {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Sends reviews by `wrk`, in a process of its own. Rejects when any answer was not a 200. */
export async function loadReviews(wanted: ReviewLoad): Promise<ReviewsLoaded> {
  const { port, path, bodies, connections, seconds } = wanted;
  const script = join(tmpdir(), `bulla-reviews-${process.pid}.lua`);
  const list = bodies.map((body) => `[==[${body}]==]`).join(',\n');
  // Requests are made beforehand: the loader shares the machine with what it loads.
  await writeFile(
    script,
    `local requests = {}
local at = 0
function init(args)
  local headers = { ["Content-Type"] = "application/json", ["Host"] = "bulla.trust.svc" }
  for index, body in ipairs({ ${list} }) do
    requests[index] = wrk.format("POST", ${JSON.stringify(path)}, headers, body)
  end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('REPORT {"requests":%d,"seconds":%f,"errors":%d,"p50":%f,"p99":%f}\\n',
    summary.requests, summary.duration / 1e6,
    e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
`,
  );
  try {
    const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '-s', script];
    const report = await reportOf([...args, `https://127.0.0.1:${port}`]);
    if (report.errors > 0) throw new Error(`${report.errors} reviews were not answered by a 200`);
    const perSecond = report.requests / report.seconds;
    return { perSecond, p50Ms: report.p50, p99Ms: report.p99 };
  } finally {
    await rm(script, { force: true });
  }
}

interface Report {
  readonly requests: number;
  readonly seconds: number;
  readonly errors: number;
  readonly p50: number;
  readonly p99: number;
}

function reportOf(args: readonly string[]): Promise<Report> {
  return new Promise((resolve, reject) => {
    const child = spawn('wrk', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => {
      const report = /^REPORT (.*)$/m.exec(said)?.[1];
      if (report === undefined) reject(new Error(`wrk ended with ${code}: ${said}`));
      else resolve(JSON.parse(report));
    });
  });
}
