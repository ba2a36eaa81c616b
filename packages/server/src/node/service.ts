import { quote } from '@bulla/trust/fault/fault';
import { reasonOf } from '@bulla/trust/finding/reason';
import { isSatisfied } from '../decision/cache.ts';
import type { Asker, RequestFacts } from '../decision/made.ts';
import { blamed, messageOf } from '../decision/refusal-text.ts';
import type { AskAboutImage, Reached } from '../reach/question.ts';
import {
  type NodeAnswer,
  type NodeQuestion,
  referenceOf,
  type StandIn,
  type StandInReport,
} from './question.ts';

/** Who asks, as the API knows them. */
export interface NodeCaller {
  readonly id: string;
  readonly name: string;
  readonly request: RequestFacts;
}

/** An act of a node for the record. */
export interface NodeAct {
  readonly actor: Asker;
  readonly act: 'node.stood-in' | 'node.stand-ins-lost';
  readonly subject: string;
  readonly says: string;
  readonly detail: Readonly<Record<string, string | number>>;
}

/** What the door for nodes rests on. */
export interface NodeParts {
  readonly ask: AskAboutImage;
  /** Changes with the policies in force, the trust roots, and each revocation and exception. */
  readonly generation: () => Promise<string>;
  /** Keeps an act; throws `record.unavailable`. */
  readonly note: (act: NodeAct) => Promise<unknown>;
}

/** The door for nodes. */
export interface NodeService {
  /**
   * Decides about the digest. Throws `node.digest-mismatch` for a name with another one,
   * `record.unavailable`.
   */
  decide(question: NodeQuestion, caller: NodeCaller): Promise<NodeAnswer>;
  /** Records what stood in. Throws `record.unavailable`; then the node tells it again. */
  report(report: StandInReport, caller: NodeCaller): Promise<void>;
}

/** How long a node may use a pass without asking: what was revoked meanwhile runs so long. */
const FRESH_MS = 30_000;

/** The door for nodes, over the questions that all doors beside the gateway ask. */
export function createNodeService({ ask, generation, note }: NodeParts): NodeService {
  return {
    async decide(question, { request, ...caller }) {
      const reference = referenceOf(question);
      // Before the decision: what is revoked while it is taken must end it.
      const under = await generation();
      const reached = await ask({
        reference,
        surface: 'node',
        namespace: null,
        actor: { kind: 'node', ...caller },
        request,
        credentials: [],
        dryRun: false,
      });
      return answerOf(question, reached, under);
    },
    async report({ standIns, dropped }, { request: _, ...caller }) {
      const actor: Asker = { kind: 'node', ...caller };
      for (const one of standIns) await note(actOf(one, actor));
      if (dropped === 0) return;
      await note({
        actor,
        act: 'node.stand-ins-lost',
        subject: caller.id,
        says: `a node used ${dropped} earlier passes of which it kept no account`,
        detail: { dropped },
      });
    },
  };
}

function answerOf(
  { digest }: NodeQuestion,
  { decision, cache }: Reached,
  generation: string,
): NodeAnswer {
  const { id, outcome, warnings, validUntil } = decision;
  const told = { decision: id, digest, warnings, generation };
  const none = { freshForMs: 0, mayStandIn: false, validUntil: null };
  if (outcome === 'deny') {
    const { code = 'policy.no-match' } = reasonOf(blamed(decision).finding);
    return { outcome, ...told, code, message: messageOf(decision), ...none };
  }
  if (decision.digest !== digest) {
    const message = `the decision is about ${quote(decision.digest)} (decision ${id})`;
    return { outcome: 'deny', ...told, code: 'node.digest-mismatch', message, ...none };
  }
  const admitted = { outcome, ...told, code: '', message: '' };
  // What stood in itself, and what no policy was satisfied with, is no pass to keep (semantics 3, 14).
  if (cache === 'last-known-good' || !isSatisfied(decision)) return { ...admitted, ...none };
  return {
    ...admitted,
    freshForMs: FRESH_MS,
    mayStandIn: true,
    validUntil: validUntil?.toISOString() ?? null,
  };
}

function actOf({ name, digest, decision, count, first, last }: StandIn, actor: Asker): NodeAct {
  const [from, to] = [first.toISOString(), last.toISOString()];
  const times = count === 1 ? `once, at ${from}` : `${count} times, from ${from} to ${to}`;
  return {
    actor,
    act: 'node.stood-in',
    subject: digest,
    says: `a node without an answer used the pass of decision ${decision} for ${quote(name)} ${times}`,
    detail: { name, digest, decision, count, first: from, last: to },
  };
}
