import { asFault, TrustFault } from '@bulla/trust/fault/fault';
import { singleFlight } from '../bounds/single-flight.ts';
import { openTurns } from '../bounds/turns.ts';
import type { NodeAnswer, NodeQuestion, StandInReport } from '../node/question.ts';
import { blocked, type Judgement } from './judgement.ts';
import type { Kept, KeptPass } from './kept.ts';
import { parseVerifierRequest } from './parse.ts';
import type { StandIns } from './stand-ins.ts';

/** The server, as the daemon of a node asks it. All throw what the server refused, or `server.*`. */
export interface NodeServer {
  ask(question: NodeQuestion): Promise<NodeAnswer>;
  report(report: StandInReport): Promise<void>;
  /** Asks for nothing, and waits a moment only: whether the server answers at all. */
  probe(): Promise<void>;
}

/** What the daemon decides with. */
export interface AgentParts {
  readonly server: NodeServer;
  readonly kept: Kept;
  readonly standIns: StandIns;
  /** How long an earlier pass may stand in while the server is absent. */
  readonly staleForMs: number;
  /** How long a pass is given again unasked at the most; the server may say less. */
  readonly freshMostMs: number;
  readonly clock: () => Date;
  /** Told of each judgement, for the log. */
  readonly judged: (judgement: Judgement) => void;
  /** Told of reports that the server did not take. */
  readonly failed: (fault: TrustFault) => void;
}

/** The daemon without its socket. */
export interface Agent {
  /** Answers a verifier's line. Never throws: what goes wrong blocks, and says why. */
  judge(line: Uint8Array): Promise<Judgement>;
  /** Tells the server what stood in, if anything waits and it is back. */
  report(): Promise<void>;
}

const AT_ONCE = 32;
const WAITING_MOST = 512;

/**
 * The life of a question: a pass that is fresh is given again; else the server is asked, and what it
 * says holds. Only where it gives no answer at all may an earlier pass of the same name and digest
 * stand in, for so long as is configured and never beyond its evidence (semantics 3).
 */
export function createAgent(parts: AgentParts): Agent {
  const { server, kept, standIns, staleForMs, freshMostMs, clock, judged, failed } = parts;
  const flight = singleFlight<Judgement>();
  const tooMany = () => new TrustFault('node.busy', 'too many images at a time');
  const turns = openTurns({ atOnce: AT_ONCE, waiting: { most: WAITING_MOST, tooMany } });

  async function decide(question: NodeQuestion): Promise<Judgement> {
    const fresh = kept.find(question, ({ freshForMs }) => Math.min(freshForMs, freshMostMs));
    if (fresh !== null) {
      const reason = `admitted by Bulla a moment ago (decision ${fresh.decision})`;
      return { allow: true, digest: question.digest, reason };
    }
    const asked = clock();
    const before = kept.generation();
    let answer: NodeAnswer;
    try {
      answer = await server.ask(question);
    } catch (error) {
      const fault = asFault(error);
      return (await isGone(fault)) ? standIn(question, fault) : blocked(question.digest, fault);
    }
    await keep(question, answer, asked, before);
    return judgementOf(answer);
  }

  /**
   * Whether the server itself is away. One that is slow about this image alone is not: who publishes
   * an image could have that (semantics 2), and hold on to a pass that would end.
   */
  async function isGone(fault: TrustFault): Promise<boolean> {
    if (fault.code !== 'server.timeout') return isAbsent(fault);
    try {
      await server.probe();
      return false;
    } catch (error) {
      return isAbsent(asFault(error));
    }
  }

  async function keep(
    question: NodeQuestion,
    answer: NodeAnswer,
    asked: Date,
    before: string | null,
  ): Promise<void> {
    const { outcome, generation, decision, freshForMs, mayStandIn, validUntil } = answer;
    if (generation !== kept.generation()) {
      // Another answer began one while this one was on its way: nobody can tell which is the later.
      if (kept.generation() !== before) return;
      await kept.begin(generation);
    }
    if (outcome === 'deny' || !mayStandIn) return kept.drop(question);
    await kept.put({
      ...question,
      ...{ decision, generation, asked, freshForMs },
      validUntil: validUntil === null ? null : new Date(validUntil),
    });
  }

  async function standIn(question: NodeQuestion, fault: TrustFault): Promise<Judgement> {
    const pass = kept.find(question, () => staleForMs);
    const { digest } = question;
    if (pass === null) {
      const says = `${fault.code}: ${fault.message}, and no pass of the last ${minutes(staleForMs)}`;
      return blocked(digest, new TrustFault('node.server-absent', says));
    }
    const at = clock();
    await standIns.note(pass, at);
    return { allow: true, digest, reason: standInReason(pass, at, staleForMs) };
  }

  async function judgeLine(line: Uint8Array): Promise<Judgement> {
    let question: NodeQuestion;
    try {
      const { name, digest } = parseVerifierRequest(line);
      question = { name, digest };
    } catch (error) {
      return blocked(null, asFault(error));
    }
    try {
      const key = JSON.stringify([question.name, question.digest]);
      return await flight(key, () => turns(() => decide(question)));
    } catch (error) {
      return blocked(question.digest, asFault(error));
    }
  }

  return {
    async judge(line) {
      const judgement = await judgeLine(line);
      judged(judgement);
      return judgement;
    },
    async report() {
      try {
        await standIns.flush((report) => server.report(report));
      } catch (error) {
        failed(asFault(error));
      }
    },
  };
}

function judgementOf({
  outcome,
  digest,
  decision,
  code,
  message,
  warnings,
}: NodeAnswer): Judgement {
  if (outcome === 'deny') return { allow: false, digest, reason: `${code}: ${message}` };
  const warned = warnings.length === 0 ? '' : `; ${warnings.join('; ')}`;
  return { allow: true, digest, reason: `admitted by Bulla (decision ${decision})${warned}` };
}

/**
 * Whether nothing of the server came: no connection, no answer in time, or something that is no answer
 * of Bulla, as of a proxy before a server that is down. Whatever the server says is an answer, also
 * that it cannot record (semantics 18) or that the token does not hold.
 */
function isAbsent({ code }: TrustFault): boolean {
  return ABSENT.has(code);
}

const ABSENT = new Set<string>(['server.unreachable', 'server.timeout', 'server.answer-malformed']);

function standInReason({ decision, asked }: KeptPass, at: Date, staleForMs: number): string {
  const age = Math.round((at.getTime() - asked.getTime()) / 1000);
  const says = `the server gave no answer; its pass of ${age} s ago (decision ${decision}) stands in`;
  return `${says}, which holds for ${minutes(staleForMs)}`;
}

function minutes(ms: number): string {
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : `${Math.round(ms / 1000)} s`;
}
