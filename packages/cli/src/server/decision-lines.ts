import { asArray, asString, type Cursor, member, optional } from '@bulla/trust/bytes/shape';
import { printable } from '@bulla/trust/fault/fault';
import { answer } from './parse.ts';

/** What is recorded of a decision, a line each, without the findings: `explain` prints those. */
export function decisionLines(document: unknown): readonly string[] {
  const at = answer(document);
  const text = (name: string) => asString(member(at, name));
  const maybe = (name: string) => optional(member(at, name), asString) ?? null;
  const list = (name: string) => asArray(member(at, name), asString);
  const request = (name: string) => asString(member(member(at, 'request'), name));
  const actor = asString(member(member(at, 'actor'), 'name'));
  const rows: readonly (readonly [string, string | null])[] = [
    ['decision', text('id')],
    ['answer', text('outcome') === 'deny' ? 'refused' : admitted(text('effect'))],
    ['code', maybe('code')],
    ['image', text('reference')],
    ['digest', maybe('digest')],
    ['repository', text('repository')],
    ['asked', `${text('at')}, surface ${text('surface')}, by ${actor}`],
    ['from', [request('remoteAddress'), request('userAgent')].filter(Boolean).join(', ')],
    ['request', request('id')],
    ['namespace', maybe('namespace')],
    ['environment', maybe('environment')],
    ['answered', `${text('cache')}, ${numberOf(at, 'durationMs')} ms`],
    ['given', givenOf(at)],
    ['valid until', maybe('validUntil')],
    ...asArray(member(at, 'policies'), (one) => ['policy', policyOf(one)] as const),
    ['policy set', text('policySetHash')],
    ['trust roots', text('trustRootVersion')],
    ...list('evidence').map((digest) => ['evidence', digest] as const),
    ['dossier', maybe('dossier')],
    ...list('warnings').map((warning) => ['warning', warning] as const),
    ['entry', `${numberOf(at, 'seq')}, ${text('hash')}`],
  ];
  return rows.flatMap(([name, value]) =>
    value === null || value === '' ? [] : [`${name.padEnd(12)}${printable(value)}`],
  );
}

function admitted(effect: string): string {
  return effect === 'pass' ? 'admitted' : `admitted (${effect})`;
}

function givenOf(at: Cursor): string | null {
  const count = numberOf(at, 'count');
  return count === '1' ? null : `${count} times, last at ${asString(member(at, 'lastUsedAt'))}`;
}

function numberOf(at: Cursor, name: string): string {
  const { value } = member(at, name);
  return typeof value === 'number' ? String(value) : '';
}

function policyOf(at: Cursor): string {
  const text = (name: string) => asString(member(at, name));
  return `${text('name')} (${text('mode')}): ${text('effect')}, ${text('hash')}`;
}
