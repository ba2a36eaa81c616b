// The tables of docs/architecture.md against the layers that the build holds.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PACKAGES } from './architecture/layers.ts';

const ROOT = join(import.meta.dirname, '..');
const PAGE = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');

/** Name → whole rank, as the rows of one section of the page have them; `formats/<room>` is formats. */
function drawn(heading: string): ReadonlyMap<string, number> {
  const section = PAGE.split(/^## /m).find((part) => part.startsWith(heading)) ?? '';
  const rows = [...section.matchAll(/^\| (-?[\d.]+) +\|([^|]*)\|/gm)];
  return new Map(
    rows.flatMap(([, rank, names = '']) =>
      [...names.matchAll(/`([^`/]+)[^`]*`/g)].map(([, name = '']) => [name, Number(rank)] as const),
    ),
  );
}

/** Files of the library are drawn beside their folder, within the same whole rank. */
const PAGES = [
  { name: 'trust', heading: 'The library', exact: false },
  { name: 'server', heading: 'The server', exact: true },
] as const;

for (const { name, heading, exact } of PAGES) {
  const there = Object.entries(PACKAGES[name].ranks).filter(([room]) =>
    existsSync(join(ROOT, 'packages', name, 'src', room)),
  );

  test(`every room of ${name} is drawn at its rank`, () => {
    const rows = drawn(heading);
    assert.ok(there.length > 15, `${there.length}`);
    const wrong = there.filter(([room, rank]) => {
      const found = rows.get(room) ?? rows.get(room.replace(/\.ts$/, ''));
      return (
        found === undefined || (exact ? found !== rank : Math.floor(found) !== Math.floor(rank))
      );
    });
    assert.deepEqual(wrong, []);
  });

  test(`nothing is drawn of ${name} that is not there`, () => {
    const rooms = new Set(there.map(([room]) => room));
    assert.deepEqual(
      [...drawn(heading).keys()].filter((room) => !rooms.has(room)),
      [],
    );
  });
}
