import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeAnswer, NodeQuestion, StandInReport } from '@bulla/server/node/question';
import { type Agent, createAgent } from '@bulla/server/node-agent/agent';
import { openKept } from '@bulla/server/node-agent/kept';
import { openSealedFolder } from '@bulla/server/node-agent/sealed';
import { openStandIns } from '@bulla/server/node-agent/stand-ins';
import { TrustFault } from '@bulla/trust/fault/fault';
import { computeDigest } from '@bulla/trust/oci/digest';

export const DIGEST = computeDigest(Buffer.from('image'));
export const OTHER = computeDigest(Buffer.from('other'));
export const NAME = 'registry.example/app:v1';
export const DESCRIPTOR = 'application/vnd.oci.descriptor.v1+json';
export const RUN_INPUT = 'application/vnd.containerd.image-verifier.input.v1+json';
export const ABSENT = new TrustFault('server.unreachable', 'connection refused');

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

/** A descriptor as containerd writes it. */
export function descriptorOf(digest: string = DIGEST): object {
  return { mediaType: MANIFEST, digest, size: 100 };
}

/** A verifier's line, without its line feed. */
export function lineOf(change: Readonly<Record<string, unknown>> = {}): Buffer {
  const { input = descriptorOf(), ...rest } = change;
  const bytes = typeof input === 'string' ? input : JSON.stringify(input);
  const stdin = Buffer.from(bytes).toString('base64');
  const line = { v: 1, name: NAME, digest: DIGEST, type: DESCRIPTOR, operation: '', stdin };
  return Buffer.from(JSON.stringify({ ...line, ...rest }));
}

/** A pass, as the server answers it. */
export function passOf(digest: string, change: Partial<NodeAnswer> = {}): NodeAnswer {
  return {
    ...{ outcome: 'admit', digest, decision: 'D1', code: '', message: '', warnings: [] },
    ...{ generation: 'g1', freshForMs: 30_000, mayStandIn: true, validUntil: null },
    ...change,
  };
}

export function refusalOf(digest: string, change: Partial<NodeAnswer> = {}): NodeAnswer {
  const refused = { outcome: 'deny', code: 'signature.none', message: 'no signature' } as const;
  return passOf(digest, { ...refused, freshForMs: 0, mayStandIn: false, ...change });
}

export type Told = NodeAnswer | TrustFault | Promise<NodeAnswer>;

/** The daemon without its socket, on a folder of its own, before a server that the test tells what to say. */
export interface Kit extends AsyncDisposable {
  readonly agent: Agent;
  readonly folder: string;
  readonly asked: NodeQuestion[];
  readonly reports: StandInReport[];
  readonly faults: TrustFault[];
  says(told: (question: NodeQuestion) => Told): void;
  reportsFail(fault: TrustFault | null): void;
  probesFail(fault: TrustFault | null): void;
  pass(seconds: number): void;
  /** Sets the time of day, and no other clock. */
  setClock(seconds: number): void;
  /** A new process on the same folder; the old one was killed. */
  restart(): Promise<void>;
}

export async function open(staleForMs = 15 * 60_000, freshMostMs = 60_000): Promise<Kit> {
  const folder = await mkdtemp(join(tmpdir(), 'bulla-node-'));
  const asked: NodeQuestion[] = [];
  const reports: StandInReport[] = [];
  const faults: TrustFault[] = [];
  let told: (question: NodeQuestion) => Told = ({ digest }) => passOf(digest);
  let reportFault: TrustFault | null = null;
  let probeFault: TrustFault | null = ABSENT;
  let at = Date.parse('2026-11-21T12:00:00Z');
  let ahead = 0;
  const start = async () => {
    const keeping = {
      folder: await openSealedFolder(join(folder, 'cache')),
      clock: () => new Date(at + ahead),
      now: () => at,
      failed: (fault: TrustFault) => {
        faults.push(fault);
      },
    };
    return createAgent({
      server: {
        ask: async (question) => {
          asked.push(question);
          const answer = await told(question);
          if (answer instanceof TrustFault) throw answer;
          return answer;
        },
        report: async (report) => {
          if (reportFault !== null) throw reportFault;
          reports.push(report);
        },
        probe: async () => {
          if (probeFault !== null) throw probeFault;
        },
      },
      kept: await openKept(keeping),
      standIns: await openStandIns(keeping),
      staleForMs,
      freshMostMs,
      clock: keeping.clock,
      judged: () => undefined,
      failed: keeping.failed,
    });
  };
  let agent = await start();
  return {
    get agent() {
      return agent;
    },
    folder,
    asked,
    reports,
    faults,
    says: (next) => {
      told = next;
    },
    reportsFail: (fault) => {
      reportFault = fault;
    },
    probesFail: (fault) => {
      probeFault = fault;
    },
    pass: (seconds) => {
      at += seconds * 1000;
    },
    setClock: (seconds) => {
      ahead = seconds * 1000;
    },
    restart: async () => {
      agent = await start();
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
