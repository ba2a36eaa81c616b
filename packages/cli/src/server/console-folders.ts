import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The console's files: beside the built program, or where the sources have them built. */
export function consoleFolders(): readonly string[] {
  const here = fileURLToPath(new URL('.', import.meta.url));
  return [join(here, 'console'), join(here, '../../../console/dist')];
}
