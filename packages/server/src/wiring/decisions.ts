import { randomBytes } from 'node:crypto';
import { newDecisionId } from '@bulla/trust/decide/decision-id';
import { asFault } from '@bulla/trust/fault/fault';
import { type CelRunner, openExpressionRunner } from '@bulla/trust/policy/cel/runner';
import type { ServerConfig } from '../config/config.ts';
import type { Epochs } from '../decision/epochs.ts';
import { openPasses } from '../decision/passes.ts';
import type { PoliciesInForce } from '../decision/policies.ts';
import { createDecisions, DECISION_LIMITS, type DecisionService } from '../decision/service.ts';
import { createTaker, type FindExceptions } from '../decision/take.ts';
import type { Log } from '../http/log.ts';
import type { RecordService } from '../record/service.ts';
import type { Registers } from '../storage/registers.ts';
import type { Clocks } from './clocks.ts';

/** Decisions, and the worker that expressions run in, which disposal ends. */
export interface WiredDecisions extends AsyncDisposable {
  readonly decisions: DecisionService;
}

/** What decisions share with who changes what they come to. */
export interface DecisionGround {
  readonly epochs: Epochs;
  readonly exceptions: FindExceptions;
}

const PARALLEL = 32;
const DEADLINE_MS = 60_000;
/** Bills of materials are large; what is larger than this is not kept for simulations. */
const MAX_DOSSIER_BYTES = 8 << 20;

/** The decisions of a server, from the library's `decide` to the record. */
export function wireDecisions(
  config: Pick<ServerConfig, 'environment' | 'gateway'>,
  registers: Registers,
  policies: PoliciesInForce,
  { keep, repeat }: Pick<RecordService, 'keep' | 'repeat'>,
  { epochs, exceptions }: DecisionGround,
  { clock, now }: Clocks,
  log: Log,
): WiredDecisions {
  let runner: CelRunner | null = null;
  const take = createTaker({
    expressions: () => {
      runner ??= openExpressionRunner();
      return runner;
    },
    passes: openPasses(registers),
    exceptions,
    environment: config.environment,
    parallel: PARALLEL,
    deadlineMs: DEADLINE_MS,
    maxDossierBytes: MAX_DOSSIER_BYTES,
    clock,
    now,
  });
  const decisions = createDecisions({
    policies,
    epochs,
    keep,
    repeat,
    take,
    limits: { ...DECISION_LIMITS, passMs: config.gateway.cacheMaxAgeMs },
    newId: (at) => newDecisionId(at, randomBytes(10)),
    clock,
    now,
    unrecorded: (fault) =>
      log.error('a decision that no policy enforces went out unrecorded', {
        fault: asFault(fault),
      }),
  });
  return {
    decisions,
    async [Symbol.asyncDispose]() {
      await runner?.[Symbol.asyncDispose]();
    },
  };
}
