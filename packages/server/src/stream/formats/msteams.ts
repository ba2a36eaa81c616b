import type { StreamEvent } from '../event.ts';
import { type Alert, alertOf, factsOf, plain } from './alert.ts';
import type { FormatOptions } from './format.ts';

const TITLE_LONGEST = 200;
const TEXT_LONGEST = 4000;
/** What a value may have, the most that the whole message leaves room for. */
const VALUES_LONGEST = [1000, 500, 250, 100] as const;
/**
 * A webhook of Teams takes 28 KB (learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/
 * how-to/add-incoming-webhook), its workflows as much (learn.microsoft.com/connectors/teams). Who uses
 * them found it to be counted in UTF-16, so half as many characters.
 */
const MESSAGE_LONGEST = 13_500;

/**
 * A message for a Teams workflow ("When a Teams webhook request is received"): an Adaptive Card 1.4.
 * All that comes from outside is cleaned and stands in a TextRun, in which Markdown is no markup
 * (learn.microsoft.com/adaptive-cards/schema-explorer/text-run), as it would be in a TextBlock or in a
 * Fact. A message that would be too long for Teams has shorter values.
 */
export function teamsMessage(event: StreamEvent, options: FormatOptions): object {
  const alert = alertOf(event, options);
  const [longest, ...shorter] = VALUES_LONGEST;
  let message = messageOf(alert, longest);
  for (const most of shorter) {
    if (JSON.stringify(message).length <= MESSAGE_LONGEST) break;
    message = messageOf(alert, most);
  }
  return message;
}

function messageOf(alert: Alert, longest: number): object {
  const { title, alert_message } = alert.values;
  const card = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    msteams: { width: 'Full' },
    body: [
      runs([{ text: plain(title, TITLE_LONGEST), size: 'Large', weight: 'Bolder' }]),
      runs([{ text: plain(alert_message, Math.min(TEXT_LONGEST, longest * 4)) }]),
      ...factsOf(alert).map(([name, value]) =>
        runs([{ text: `${name}: `, weight: 'Bolder' }, { text: plain(value, longest) }]),
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
