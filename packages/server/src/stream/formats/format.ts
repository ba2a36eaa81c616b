import type { StreamConfig } from '../config.ts';
import type { StreamEvent } from '../event.ts';
import { cefLines } from './cef.ts';
import { cloudEvent } from './cloudevents.ts';
import { ecsDocument } from './ecs.ts';
import { jsonEvent } from './json.ts';
import { teamsMessage } from './msteams.ts';
import { opsgenieAlert } from './opsgenie.ts';
import { slackMessage } from './slack.ts';
import { openTemplate } from './template.ts';

/** What receivers know the server by. */
export interface FormatFacts {
  /** The record's name, `<host>/record`. */
  readonly origin: string;
  readonly version: string;
}

/** How events are written. `render` takes at least one; formats of alerts get one at a time. */
export interface Format {
  readonly contentType: string;
  render(events: readonly StreamEvent[]): string;
}

/**
 * The format of a stream. Whether requests hold one event or several is the configuration's, not
 * the moment's: a receiver always gets the same shape. Throws `stream.template-invalid`.
 */
export async function openFormat(config: StreamConfig, facts: FormatFacts): Promise<Format> {
  const { format, batch, name, priority } = config;
  const options = { ...facts, stream: name, priority };
  switch (format) {
    case 'json':
      return documents((event) => jsonEvent(event, options), batch);
    case 'ecs':
      return documents((event) => JSON.stringify(ecsDocument(event, options)), batch);
    case 'cef':
      return {
        contentType: 'text/plain; charset=utf-8',
        render: (events) => cefLines(events, options),
      };
    case 'cloudevents':
      return cloudEvents(options, batch);
    case 'slack':
      return alerts((event) => slackMessage(event, options));
    case 'msteams':
      return alerts((event) => teamsMessage(event, options));
    case 'opsgenie':
      return alerts((event) => opsgenieAlert(event, options));
    case 'template': {
      const fill = await openTemplate(config.template ?? '');
      return alerts((event) => fill(event, options));
    }
    default:
      return format satisfies never;
  }
}

/** What a format says beside the event. */
export interface FormatOptions extends FormatFacts {
  readonly stream: string;
  readonly priority: number | null;
}

function documents(write: (event: StreamEvent) => string, batch: number): Format {
  return {
    contentType: batch === 1 ? 'application/json' : 'application/x-ndjson',
    render(events) {
      const lines = events.map(write).join('\n');
      return batch === 1 ? lines : `${lines}\n`;
    },
  };
}

function cloudEvents(options: FormatOptions, batch: number): Format {
  // CloudEvents HTTP binding 1.0.2, §3.2 and §3.3; the media types are those of its JSON format.
  return {
    contentType: `application/cloudevents${batch === 1 ? '' : '-batch'}+json; charset=utf-8`,
    render(events) {
      const written = events.map((event) => cloudEvent(event, options));
      return batch === 1 ? written.join('') : `[${written.join(',')}]`;
    },
  };
}

function alerts(write: (event: StreamEvent) => object): Format {
  return {
    contentType: 'application/json',
    render: (events) => events.map((event) => JSON.stringify(write(event))).join('\n'),
  };
}
