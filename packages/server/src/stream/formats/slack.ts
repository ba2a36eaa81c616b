import type { StreamEvent } from '../event.ts';
import { alertOf, factsOf, plain } from './alert.ts';
import type { FormatOptions } from './format.ts';

/**
 * Slack's limits: 150 of a header (docs.slack.dev/reference/block-kit/blocks/header-block), 3000 of a text
 * (…/composition-objects/text-object), 10 fields of 2000 in a section (…/blocks/section-block).
 */
const HEADER_LONGEST = 150;
const TEXT_LONGEST = 2900;
const FIELD_LONGEST = 1900;
const FIELDS_MOST = 10;

/**
 * A message for a Slack incoming webhook: blocks, and `text` for notifications. All that comes from
 * outside is cleaned and stands in `plain_text`, which knows no markup; nothing is unfurled.
 */
export function slackMessage(event: StreamEvent, options: FormatOptions): object {
  const alert = alertOf(event, options);
  const text = plain(alert.values.alert_message, TEXT_LONGEST);
  const fields = factsOf(alert)
    .slice(0, FIELDS_MOST)
    .map(([name, value]) => plainText(`${name}: ${plain(value, FIELD_LONGEST)}`));
  return {
    text,
    mrkdwn: false,
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'header', text: plainText(plain(alert.values.title, HEADER_LONGEST)) },
      { type: 'section', text: plainText(text) },
      ...(fields.length === 0 ? [] : [{ type: 'section', fields }]),
    ],
  };
}

function plainText(text: string): object {
  return { type: 'plain_text', text, emoji: false };
}
