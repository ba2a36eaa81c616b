import { printable } from '@bulla/trust/fault/fault';
import { renderFinding } from '@bulla/trust/finding/render-text';
import type { DecisionBody } from './body.ts';
import type { Uses } from './counts.ts';
import { findingOf } from './parse.ts';

/**
 * A recorded decision for people: the answer and its id, who asked and how, how often it was given,
 * and the tree of findings with remedies. Ends in a line break. Foreign text is escaped.
 */
export function explainDecision(body: DecisionBody, uses: Uses | undefined): string {
  const { actor, request, outcome } = body;
  const word =
    outcome === 'deny' ? 'DENY' : body.effect === 'pass' ? 'ADMIT' : `ADMIT (${body.effect})`;
  const image =
    body.digest === null || body.reference.includes('@')
      ? body.reference
      : `${body.reference}@${body.digest}`;
  const where = body.namespace === null ? '' : `, namespace ${body.namespace}`;
  const from = request.remoteAddress === '' ? '' : ` from ${request.remoteAddress}`;
  const { object } = request;
  const what =
    object === undefined
      ? ''
      : `, ${object.operation} of ${object.kind} ${object.name ?? '(no name)'}`;
  const lines = [
    `${word}  ${image}   decision ${body.id}`,
    `      ${body.at}  ${body.surface} by ${actor.name}${from}${where}${what}   ${howOf(body)}`,
    ...body.policies.map(({ name, mode, effect }) => `      policy ${name} (${mode}): ${effect}`),
    ...body.exceptions.map(exceptionLine),
    ...(uses === undefined || uses.last === null
      ? []
      : [`      given ${uses.count} times, last at ${uses.last}`]),
    ...body.warnings.map((warning) => `      warning: ${warning}`),
    ...(body.cut.length === 0 ? [] : [`      too long, and cut: ${body.cut.join(', ')}`]),
  ];
  return `${[...lines.map(printable), ...renderFinding(findingOf(body.finding))].join('\n')}\n`;
}

function exceptionLine({
  name,
  id,
  kind,
  policy,
  clauses,
  expires,
}: DecisionBody['exceptions'][number]): string {
  return `      ${kind} ${name} (${id}) lifted ${clauses.join(', ')} of policy ${policy}, until ${expires}`;
}

function howOf({ cache, durationMs, decidedAt }: DecisionBody): string {
  switch (cache) {
    case 'miss':
      return `decided in ${durationMs} ms`;
    case 'hit':
      return `from the cache, decided at ${decidedAt}`;
    case 'last-known-good':
      return 'the last known good answer';
    default:
      return cache satisfies never;
  }
}
