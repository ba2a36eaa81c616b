/** What acts are about, by the first word of their names. */
const ROOMS: Readonly<Record<string, string>> = {
  exception: 'exception',
  'break-glass': 'break-glass',
  rollout: 'rollout',
  policy: 'policy',
  stream: 'stream',
};

/** What an act is about, in a word; one that this page does not know is shown as it is. */
export function roomOf(act: string): string {
  const first = act.split('.')[0] ?? act;
  return ROOMS[first] ?? first;
}
