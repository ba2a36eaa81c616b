/**
 * What may follow `prefix` in the texts that a glob matches, as globs again: `*` does not cross `/`,
 * `**` does (Brzozowski's derivative, one character after the other). Empty when no match begins so.
 */
export function globsAfter(glob: string, prefix: string): readonly string[] {
  let states: ReadonlySet<string> = new Set([glob]);
  for (const character of prefix) {
    const next = new Set<string>();
    for (const state of states) for (const rest of after(state, character)) next.add(rest);
    states = next;
  }
  return [...states];
}

function after(glob: string, character: string): readonly string[] {
  const [stars = ''] = /^\*+/.exec(glob) ?? [];
  const behind = glob.slice(stars.length);
  const direct = behind.startsWith(character) ? [behind.slice(1)] : [];
  const stays = stars.length > 1 || (stars === '*' && character !== '/');
  return stays ? [glob, ...direct] : direct;
}
