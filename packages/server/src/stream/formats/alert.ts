import { keyOfParts } from '../../bounds/key.ts';
import type { ActBody, DecisionBody } from '../../record/body.ts';
import { kindOf, lastSeq, type StreamEvent, timeOf } from '../event.ts';
import type { FormatOptions } from './format.ts';
import { imageOf, priorityOf, reasonOf, subjectOf, verdictOf } from './subject.ts';

/**
 * The variables of an alert. The first eight are those of Connaisseur's templates, under its names.
 * Values are as the record has them; who writes them into markup cleans them first (`plain`).
 */
export const ALERT_VARIABLES = [
  'alert_message',
  'priority',
  'connaisseur_pod_id',
  'namespace',
  'cluster',
  'timestamp',
  'request_id',
  'images',
  'event_id',
  'seq',
  'kind',
  'title',
  'effect',
  'surface',
  'environment',
  'repository',
  'tag',
  'digest',
  'reference',
  'policies',
  'code',
  'reason',
  'actor',
  'object',
  'decision_id',
  'act',
  'subject',
] as const;

export type AlertVariable = (typeof ALERT_VARIABLES)[number];

/** An event for people. */
export interface Alert {
  readonly values: Readonly<Record<AlertVariable, string>>;
  readonly priority: number;
  /** The same for what is one and the same to people, so that a receiver may count it as one. */
  readonly alias: string;
}

/** The alert of an event. */
export function alertOf(event: StreamEvent, options: FormatOptions): Alert {
  const priority = options.priority ?? priorityOf(event);
  const values = {
    ...EMPTY,
    priority: String(priority),
    connaisseur_pod_id: options.origin,
    timestamp: timeOf(event),
    event_id: event.id,
    seq: String(lastSeq(event)),
    kind: kindOf(event),
    subject: subjectOf(event),
    ...valuesOf(event),
  };
  return { values, priority, alias: `bulla-${keyOfParts([options.origin, ...sameness(event)])}` };
}

const EMPTY: Readonly<Record<AlertVariable, string>> = {
  alert_message: '',
  priority: '',
  connaisseur_pod_id: '',
  namespace: '',
  cluster: '',
  timestamp: '',
  request_id: '',
  images: '',
  event_id: '',
  seq: '',
  kind: '',
  title: '',
  effect: '',
  surface: '',
  environment: '',
  repository: '',
  tag: '',
  digest: '',
  reference: '',
  policies: '',
  code: '',
  reason: '',
  actor: '',
  object: '',
  decision_id: '',
  act: '',
  subject: '',
};

type Some = Readonly<Partial<Record<AlertVariable, string>>>;

function valuesOf(event: StreamEvent): Some {
  if (event.kind === 'gap') {
    const { from, to, reason } = event;
    const alert_message = `Bulla cannot send the entries ${from} to ${to} of its record: ${reason}`;
    return { title: 'Entries are missing from the stream', alert_message, reason };
  }
  const { body } = event;
  switch (body.kind) {
    case 'decision':
      return ofDecision(body);
    case 'act':
      return ofAct(body);
    case 'repeats':
      return {
        title: 'Decisions given again',
        alert_message: `Bulla gave ${body.items.length} decisions again`,
      };
    case 'pruned':
      return {
        title: 'Record pruned',
        alert_message: `Bulla removed ${body.count} entries of its record by retention`,
      };
    default:
      return body satisfies never;
  }
}

function ofDecision(body: DecisionBody): Some {
  const { request, actor } = body;
  const { object } = request;
  const reason = reasonOf(body.finding);
  const image = imageOf(body);
  return {
    title: `Image ${verdictOf(body)}`,
    alert_message: `Bulla: ${image} was ${verdictOf(body)}${reason === '' ? '' : `: ${reason}`}`,
    namespace: body.namespace ?? object?.namespace ?? '',
    cluster: object?.cluster ?? '',
    request_id: request.id,
    images: image,
    effect: body.effect,
    surface: body.surface,
    environment: body.environment ?? '',
    repository: body.repository,
    tag: body.tag ?? '',
    digest: body.digest ?? '',
    reference: body.reference,
    policies: body.policies.map(({ name }) => name).join(', '),
    code: body.code ?? '',
    reason,
    actor: actor.name,
    object: object === undefined ? '' : `${object.operation} ${object.kind} ${object.name ?? ''}`,
    decision_id: body.id,
  };
}

function ofAct({ act, says, actor }: ActBody): Some {
  return { title: act, alert_message: `Bulla: ${says}`, actor: actor.name, act };
}

function sameness(event: StreamEvent): readonly (string | null)[] {
  if (event.kind === 'gap') return ['gap', event.reason];
  const { body } = event;
  if (body.kind === 'decision') {
    const { repository, tag, digest, effect, code, namespace } = body;
    return ['decision', repository, tag, digest, effect, code, namespace];
  }
  return [event.id];
}

/**
 * Foreign text as it may stand in a message to people: nothing in it mentions, links, formats or hides
 * (`<!channel>`, `<https://…|text>`, `[text](https://…)`, `@here`, controls and reversed text), in none
 * of the receivers' markups, whether they unescape or not. It stays readable.
 */
export function plain(text: string, longest: number): string {
  const clean = text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ')
    .replaceAll('<', '‹')
    .replaceAll('>', '›')
    .replaceAll('&', '+')
    .replaceAll('](', '] (')
    .replaceAll('][', '] [')
    .replaceAll('{{', '{ {')
    .replaceAll('`', "'")
    .replaceAll('://', '[:]//')
    .replace(/\b(mailto|javascript|data):/giu, '$1[:]')
    .replace(/@(here|channel|everyone|all|team)(?![a-z0-9])/giu, '(at)$1');
  return clean.length <= longest ? clean : `${clean.slice(0, longest - 1)}…`.toWellFormed();
}

/** What a message shows beside its first line: a name, and a value that is there. */
export function factsOf({ values }: Alert): readonly (readonly [string, string])[] {
  const rows: readonly (readonly [string, AlertVariable])[] = [
    ['Image', 'images'],
    ['Code', 'code'],
    ['Policies', 'policies'],
    ['Surface', 'surface'],
    ['Cluster', 'cluster'],
    ['Namespace', 'namespace'],
    ['Object', 'object'],
    ['Act', 'act'],
    ['By', 'actor'],
    ['Decision', 'decision_id'],
    ['Entry', 'seq'],
    ['Time', 'timestamp'],
  ];
  return rows.flatMap(([name, variable]) =>
    values[variable] === '' ? [] : [[name, values[variable]] as const],
  );
}
