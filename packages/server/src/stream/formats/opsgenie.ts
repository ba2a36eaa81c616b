import type { StreamEvent } from '../event.ts';
import { alertOf, factsOf, plain } from './alert.ts';
import type { FormatOptions } from './format.ts';

// docs.opsgenie.com/docs/alert-api, "Create Alert"; 8000 for all details together.
const MESSAGE_LONGEST = 130;
const DESCRIPTION_LONGEST = 15_000;
const ENTITY_LONGEST = 512;
const SOURCE_LONGEST = 100;
const TAG_LONGEST = 50;
const DETAIL_LONGEST = 500;

/**
 * The body of Opsgenie's Create Alert (`POST /v2/alerts`). `alias` is the same for the same image,
 * answer and code, so that Opsgenie counts repetitions instead of calling somebody again.
 */
export function opsgenieAlert(event: StreamEvent, options: FormatOptions): object {
  const alert = alertOf(event, options);
  const { values, priority, alias } = alert;
  const tags = ['bulla', values.kind, values.effect, values.surface].filter((tag) => tag !== '');
  const details = factsOf(alert).map(([name, value]) => [name, plain(value, DETAIL_LONGEST)]);
  return {
    message: plain(values.alert_message, MESSAGE_LONGEST),
    alias,
    description: plain(values.alert_message, DESCRIPTION_LONGEST),
    priority: `P${priority}`,
    source: plain(options.origin, SOURCE_LONGEST),
    entity: plain(values.images || values.subject, ENTITY_LONGEST),
    tags: tags.map((tag) => plain(tag, TAG_LONGEST)),
    details: { ...Object.fromEntries(details), Event: plain(event.id, DETAIL_LONGEST) },
  };
}
