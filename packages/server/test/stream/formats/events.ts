import type { MadeDecision } from '../../../src/decision/made.ts';
import { actBody } from '../../../src/record/acts.ts';
import type { Body } from '../../../src/record/body.ts';
import { entryHash, GENESIS } from '../../../src/record/chain.ts';
import { canonicalBody, decisionBody } from '../../../src/record/entry.ts';
import type { StreamConfig } from '../../../src/stream/config.ts';
import { entryEvent, gapEvent, type StreamEvent } from '../../../src/stream/event.ts';
import { type Format, openFormat } from '../../../src/stream/formats/format.ts';
import { BEGIN, digestNumber, made, refused } from '../../record/room.ts';
import { approved } from '../notes.ts';
import { streamTo } from '../room.ts';

const AT = new Date(BEGIN);

function eventOf(body: Body, seq: number): StreamEvent {
  const text = canonicalBody(body);
  const hash = entryHash(GENESIS, seq, text);
  return entryEvent({ seq, previous: GENESIS, hash, body: text }, AT);
}

/** An event of a decision. */
export function decisionEvent(decision: MadeDecision, seq = 7): StreamEvent {
  return eventOf(decisionBody(decision, null), seq);
}

/** An event of an act. */
export function actEvent(act = 'exception.approved', subject = 'ex-1', seq = 8): StreamEvent {
  return eventOf(actBody(approved(subject, act), AT), seq);
}

const OBJECT = {
  cluster: 'eu-1',
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  namespace: 'shop',
  name: 'web',
  operation: 'CREATE',
} as const;

/** A refusal of an object of a cluster. */
export const DENIED: StreamEvent = decisionEvent(
  refused(
    { id: '01JTEST0000000000000000DEN', namespace: 'shop', surface: 'admission' },
    { request: { id: 'req-9', remoteAddress: '10.0.0.9', userAgent: 'k8s', object: OBJECT } },
  ),
);

/** One event of every kind. */
export const EVERY: readonly StreamEvent[] = [
  decisionEvent(made({ id: '01JTEST0000000000000000PAS' }), 1),
  DENIED,
  actEvent(),
  actEvent('break-glass.used', 'bg-1', 9),
  eventOf({ kind: 'repeats', at: AT.toISOString(), items: [] }, 10),
  eventOf(
    {
      kind: 'pruned',
      at: AT.toISOString(),
      through: 3,
      hash: digestNumber(3).slice(7),
      count: 3,
      from: AT.toISOString(),
      to: AT.toISOString(),
    },
    11,
  ),
  gapEvent({ from: 4, to: 6, reason: 'pruned' }, AT),
];

/** A format as a stream of this configuration has it. */
export function formatFor(
  format: StreamConfig['format'],
  changes: Partial<StreamConfig> = {},
): Promise<Format> {
  const config = streamTo(new URL('http://127.0.0.1:1/'), { format, ...changes });
  return openFormat(config, { origin: 'bulla.example/record', version: '1.2.3' });
}

/** Names that an attacker may give: of images, of users, of objects. */
export const HOSTILE: readonly string[] = [
  '<!channel> look',
  '<!here|here>',
  '<@U012AB3CD>',
  '<https://evil.example/login|sign in>',
  '&lt;!channel&gt;',
  '@here @channel @everyone @all',
  '[sign in](https://evil.example)',
  '[sign in][1]\n\n[1]: https://evil.example',
  '![x](https://evil.example/pixel.png)',
  '<at>Everyone</at>',
  '<b onmouseover=alert(1)>',
  'javascript:alert(1)',
  '{{DATE(2026-01-01T00:00:00Z)}}',
  '{{ images }}',
  'a\nb\r\nc\u2028d\u0000e\u001b[31m',
  '\u202egnp.exe\u200b',
  '"},"blocks":[{"type":"x"}],"a":{"b":"',
  'a|b=c\\d \u007f',
  'CEF:0|Fake|Fake|1|1|1|1|\nCEF:0|Fake|Fake|1|1|1|1|act=pass',
  '\ud83d half',
  'x'.repeat(5000),
];
