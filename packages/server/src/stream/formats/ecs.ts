import { isIP } from 'node:net';
import type { ActBody, DecisionBody } from '../../record/body.ts';
import { kindOf, lastSeq, type StreamEvent, timeOf } from '../event.ts';
import type { FormatOptions } from './format.ts';
import { imageOf, priorityOf, reasonOf, verdictOf } from './subject.ts';

/** The release of the Elastic Common Schema whose fields are used. */
export const ECS_VERSION = '8.17.0';

/**
 * An event as a document of ECS 8.17: its fields and its allowed values of `event.kind`,
 * `event.category`, `event.type` and `event.outcome`; what ECS has no field for stands below `bulla`.
 */
export function ecsDocument(event: StreamEvent, options: FormatOptions): object {
  const { kind, category, type, ...rest } = describe(event);
  const { origin, version, stream } = options;
  return {
    '@timestamp': timeOf(event),
    ecs: { version: ECS_VERSION },
    message: rest.message,
    tags: [`stream:${stream}`],
    observer: { vendor: 'Bulla', product: 'Bulla', version, name: origin },
    ...rest.fields,
    event: {
      kind,
      category,
      type,
      module: 'bulla',
      dataset: 'bulla.record',
      provider: origin,
      id: event.id,
      sequence: lastSeq(event),
      severity: priorityOf(event),
      ...(event.kind === 'gap' ? {} : { hash: event.hash }),
      ...rest.event,
    },
    bulla: { kind: kindOf(event), ...rest.bulla },
  };
}

interface Described {
  readonly kind: 'event' | 'alert' | 'pipeline_error';
  readonly category: readonly string[];
  readonly type: readonly string[];
  readonly message: string;
  /** More of `event`. */
  readonly event: object;
  readonly fields: object;
  readonly bulla: object;
}

function describe(event: StreamEvent): Described {
  if (event.kind === 'gap') {
    const { from, to, reason } = event;
    return {
      kind: 'pipeline_error',
      category: ['database'],
      type: ['error'],
      message: `entries ${from} to ${to} of the record are not sent: ${reason}`,
      event: { action: 'gap', reason, outcome: 'failure' },
      fields: {},
      bulla: { gap: { from, to, reason } },
    };
  }
  const { body } = event;
  switch (body.kind) {
    case 'decision':
      return ofDecision(body);
    case 'act':
      return ofAct(body);
    case 'repeats': {
      const { kind: _, at: __, items } = body;
      return plain('decisions were given again', 'repeats', { repeats: items });
    }
    case 'pruned': {
      const { through, count, from, to } = body;
      const says = `retention removed ${count} entries up to ${through}`;
      return plain(says, 'pruned', { pruned: { through, count, from, to } });
    }
    default:
      return body satisfies never;
  }
}

function plain(message: string, action: string, bulla: object): Described {
  const event = { action, outcome: 'success' };
  return {
    kind: 'event',
    category: ['database'],
    type: ['info'],
    message,
    event,
    fields: {},
    bulla,
  };
}

const NANOSECONDS = 1e6;

function ofDecision(body: DecisionBody): Described {
  const { request, actor, effect } = body;
  const isAdmitted = body.outcome === 'admit';
  const reason = reasonOf(body.finding);
  const { remoteAddress, userAgent } = request;
  const source = isIP(remoteAddress) === 0 ? {} : { ip: remoteAddress };
  return {
    kind: effect === 'deny' ? 'alert' : 'event',
    // ECS: the types of category api are access, allowed, denied and more.
    category: ['api'],
    type: ['access', isAdmitted ? 'allowed' : 'denied'],
    message: `${imageOf(body)} was ${verdictOf(body)}${reason === '' ? '' : `: ${reason}`}`,
    event: {
      action: `image-${effect}`,
      outcome: isAdmitted ? 'success' : 'failure',
      duration: Math.round(body.durationMs * NANOSECONDS),
      ...(reason === '' ? {} : { reason }),
      ...(body.code === null ? {} : { code: body.code }),
    },
    fields: {
      user: { id: actor.id, name: actor.name },
      ...(remoteAddress === '' ? {} : { source: { address: remoteAddress, ...source } }),
      ...(userAgent === '' ? {} : { user_agent: { original: userAgent } }),
      http: { request: { id: request.id } },
      container: {
        image: {
          name: body.repository,
          ...(body.tag === null ? {} : { tag: [body.tag] }),
          ...(body.digest === null ? {} : { hash: { all: [body.digest] } }),
        },
      },
      rule: { name: body.policies.map(({ name }) => name).join(', '), id: body.policySetHash },
      ...(body.code === null ? {} : { error: { code: body.code } }),
      ...orchestratorOf(body),
    },
    bulla: {
      decision: body.id,
      effect,
      surface: body.surface,
      reference: body.reference,
      cache: body.cache,
      warnings: body.warnings,
      policies: body.policies,
    },
  };
}

function orchestratorOf({ request: { object }, namespace, surface }: DecisionBody): object {
  if (object === undefined && (namespace === null || surface !== 'admission')) return {};
  return {
    orchestrator: {
      type: 'kubernetes',
      ...(namespace === null ? {} : { namespace }),
      ...(object === undefined ? {} : { api_version: object.apiVersion }),
      ...(object?.cluster == null ? {} : { cluster: { name: object.cluster } }),
      ...(object === undefined
        ? {}
        : {
            resource: {
              type: object.kind.toLowerCase(),
              ...(object.name === null ? {} : { name: object.name }),
            },
          }),
    },
  };
}

function ofAct(body: ActBody): Described {
  const { actor, act, subject, says, detail, id } = body;
  return {
    kind: act.startsWith('break-glass.') ? 'alert' : 'event',
    category: ['configuration'],
    type: ['change'],
    message: says,
    event: { action: act, outcome: 'success' },
    fields: { user: { id: actor.id, name: actor.name } },
    // A detail's members are the room's own: as one text they cannot break an index's mapping.
    bulla: { act: id, subject, detail: JSON.stringify(detail) },
  };
}
