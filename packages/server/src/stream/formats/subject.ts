import { reasonOf as decisiveLeaf } from '@bulla/trust/finding/reason';
import type { FindingJson } from '@bulla/trust/finding/render-json';
import type { DecisionBody } from '../../record/body.ts';
import type { StreamEvent } from '../event.ts';

/** What an event is about: an image with its digest, the subject of an act, else nothing. */
export function subjectOf(event: StreamEvent): string {
  if (event.kind === 'gap') return '';
  const { body } = event;
  if (body.kind === 'act') return body.subject;
  return body.kind === 'decision' ? imageOf(body) : '';
}

/** The canonical repository with tag and digest, as far as they are known. */
export function imageOf({ repository, tag, digest, reference }: DecisionBody): string {
  if (repository === '') return reference;
  return `${repository}${tag === null ? '' : `:${tag}`}${digest === null ? '' : `@${digest}`}`;
}

/** What the check says by which it did not pass, as at every door; empty when it did. */
export function reasonOf(finding: FindingJson): string {
  const isSatisfied = finding.outcome === 'pass' || finding.outcome === 'skipped';
  return isSatisfied ? '' : decisiveLeaf(finding).says;
}

/** What a decision did, for people. */
export function verdictOf({ effect }: DecisionBody): string {
  switch (effect) {
    case 'deny':
      return 'refused';
    case 'warn':
      return 'admitted with a warning';
    case 'audit':
      return 'admitted by a policy in audit';
    case 'pass':
      return 'admitted';
    default:
      return effect satisfies never;
  }
}

/** How grave an event is, 1 (a person must look now) to 5 (nothing is wrong). */
export function priorityOf(event: StreamEvent): 1 | 2 | 3 | 4 | 5 {
  if (event.kind === 'gap') return 1;
  const { body } = event;
  switch (body.kind) {
    case 'decision':
      return ({ deny: 2, warn: 3, audit: 4, pass: 5 } as const)[body.effect];
    case 'act':
      if (body.act.startsWith('break-glass.')) return 1;
      return body.act.startsWith('exception.') ? 2 : 3;
    case 'pruned':
    case 'repeats':
      return 5;
    default:
      return body satisfies never;
  }
}
