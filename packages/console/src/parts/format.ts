const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/** How long ago `instant` (ISO 8601) was at `at`, in few words; `in …` for a later one. */
export function ago(instant: string, at: Date): string {
  const seconds = Math.round((at.getTime() - new Date(instant).getTime()) / 1000);
  if (Number.isNaN(seconds)) return instant;
  const span = spell(Math.abs(seconds));
  if (span === null) return 'just now';
  return seconds < 0 ? `in ${span}` : `${span} ago`;
}

/** How long it is at `at` until `instant` (ISO 8601), in words; null when that is over. */
export function remaining(instant: string, at: Date): string | null {
  const seconds = Math.ceil((new Date(instant).getTime() - at.getTime()) / 1000);
  if (!(seconds > 0)) return null;
  if (seconds < MINUTE) return 'less than a minute';
  if (seconds < HOUR) return plural(Math.floor(seconds / MINUTE), 'minute');
  const [unit, name, part, partName] =
    seconds < DAY
      ? ([HOUR, 'hour', MINUTE, 'minute'] as const)
      : ([DAY, 'day', HOUR, 'hour'] as const);
  const rest = Math.floor((seconds % unit) / part);
  const whole = plural(Math.floor(seconds / unit), name);
  return rest === 0 ? whole : `${whole} ${plural(rest, partName)}`;
}

function spell(seconds: number): string | null {
  if (seconds < 5) return null;
  if (seconds < MINUTE) return `${seconds} s`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min`;
  if (seconds < 2 * DAY) return `${Math.floor(seconds / HOUR)} h`;
  return `${Math.floor(seconds / DAY)} days`;
}

/** An instant (ISO 8601) as `2026-11-21 13:02:07 UTC`: it can be compared with logs elsewhere. */
export function instantText(instant: string): string {
  const date = new Date(instant);
  if (Number.isNaN(date.getTime())) return instant;
  return `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** A digest cut to what people compare: `sha256:9f2c1a7be04d`. Anything else is given back whole. */
export function shortDigest(digest: string): string {
  const parts = /^([a-z0-9]+):([0-9a-f]{12})[0-9a-f]{20,}$/.exec(digest);
  return parts === null ? digest : `${parts[1]}:${parts[2]}`;
}

/**
 * What somebody wrote, with control characters and those that turn the direction of reading as escapes:
 * who approves or reviews must read what was signed. Ends of lines are spaces.
 */
export function plainText(text: string): string {
  return text
    .replaceAll(/[\r\n\t]+/g, ' ')
    .replaceAll(
      /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
      (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
    );
}

/** A sentence in which every digest is cut as `shortDigest` cuts it. */
export function shortDigestsIn(text: string): string {
  return text.replaceAll(/\b[a-z0-9]+:[0-9a-f]{32,128}\b/g, shortDigest);
}

/** The id of a key, 64 digits of which people compare the first 16; anything else is given back whole. */
export function shortKeyId(id: string): string {
  return /^(?:sha256:)?[0-9a-f]{64}$/.test(id) ? id.replace('sha256:', '').slice(0, 16) : id;
}

/** A reference whose digest, if it has one, is cut as `shortDigest` cuts it. */
export function shortReference(reference: string): string {
  const at = reference.indexOf('@');
  return at === -1 ? reference : reference.slice(0, at + 1) + shortDigest(reference.slice(at + 1));
}

/** A duration in milliseconds in the unit that reads well. */
export function durationText(ms: number): string {
  if (ms < 1) return `${Math.max(1, Math.round(ms * 1000))} µs`;
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}

/** A whole number with narrow spaces between thousands. */
export function countText(count: number): string {
  return String(Math.trunc(count)).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

/** `1 policy`, `3 policies`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`;
}

/** A number of bytes in the unit that reads well. */
export function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ''}`;
}
