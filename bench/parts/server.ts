import { onPath } from '../on-path.ts';
import type { Row } from '../pairing.ts';
import { blobRow } from './server/blobs.ts';
import { memoryRows } from './server/memory.ts';
import { fsyncRow, pullRows } from './server/pulls.ts';
import { readyRow } from './server/ready.ts';
import { setStage } from './server/stage.ts';

/** The rows of the built server. */
export async function* serverRows(): AsyncGenerator<Row> {
  yield await readyRow();
  yield* await memoryRows();
  yield* besideRegistry();
}

/** What is measured beside Debian's registry, where that is installed. */
async function* besideRegistry(): AsyncGenerator<Row> {
  const program = onPath('docker-registry');
  if (program === null) {
    console.log('docker-registry is not on the PATH: what is measured beside it is left out');
    return;
  }
  await using stage = await setStage(program);
  yield* await pullRows(stage);
  const fsyncs = await fsyncRow(stage);
  if (fsyncs === null) console.log('strace is not on the PATH: fsyncs are not counted');
  else yield fsyncs;
  yield await blobRow(stage);
}
