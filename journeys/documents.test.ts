import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startRegistry } from '@bulla/server/registry';
import { consoleJourneys, screenDifference, typeCommand } from './console-block.ts';
import { SCENES } from './scenes.ts';
import { openStage, ROOT } from './stage.ts';

/** The registry of the documents; a journey puts its own in this name's place. */
const DOCUMENTED_HOST = 'registry.example';

for (const { document, journeys, prepare } of SCENES) {
  test(`${document}: its screens are what its commands print`, async (t) => {
    const found = consoleJourneys(await readFile(join(ROOT, document), 'utf8'));
    assert.deepEqual(
      found.map(({ name }) => name),
      journeys,
    );
    for (const { name, blocks } of found) {
      await t.test(name, async () => {
        await using registry = await startRegistry({ storage: 'memory' });
        await using stage = await openStage();
        await prepare(registry.host, stage);
        for (const { exit, anyOrder, steps } of blocks) {
          for (const [index, { command, shown }] of steps.entries()) {
            const here = command.replaceAll(DOCUMENTED_HOST, registry.host);
            const { code, out } = await typeCommand(stage, here);
            assert.equal(code, index === steps.length - 1 ? exit : 0, `$ ${here}\n${out}`);
            const printed = out.replaceAll(registry.host, DOCUMENTED_HOST);
            const difference = screenDifference(shown, printed, anyOrder);
            assert.equal(difference, null, `$ ${command}\n${difference}\n\n${printed}`);
          }
        }
      });
    }
  });
}
