import type { StreamEvent } from '../event.ts';
import { alertOf, factsOf, plain } from './alert.ts';
import type { FormatOptions } from './format.ts';

const TITLE_LONGEST = 200;
const TEXT_LONGEST = 4000;
const VALUE_LONGEST = 1000;

/**
 * A message for a Teams workflow ("When a Teams webhook request is received"): an Adaptive Card 1.4.
 * All that comes from outside is cleaned and stands in a TextRun, in which Markdown is no markup, as it
 * would be in a TextBlock or in a Fact.
 */
export function teamsMessage(event: StreamEvent, options: FormatOptions): object {
  const alert = alertOf(event, options);
  const { title, alert_message } = alert.values;
  const card = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    msteams: { width: 'Full' },
    body: [
      runs([{ text: plain(title, TITLE_LONGEST), size: 'Large', weight: 'Bolder' }]),
      runs([{ text: plain(alert_message, TEXT_LONGEST) }]),
      ...factsOf(alert).map(([name, value]) =>
        runs([{ text: `${name}: `, weight: 'Bolder' }, { text: plain(value, VALUE_LONGEST) }]),
      ),
    ],
  };
  const contentType = 'application/vnd.microsoft.card.adaptive';
  return { type: 'message', attachments: [{ contentType, contentUrl: null, content: card }] };
}

function runs(
  texts: readonly { readonly text: string; readonly weight?: string; readonly size?: string }[],
): object {
  return { type: 'RichTextBlock', inlines: texts.map((text) => ({ type: 'TextRun', ...text })) };
}
