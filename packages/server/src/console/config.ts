import { join } from 'node:path';

/** Where the console's files lie. */
export interface ConsoleConfig {
  /** Folders to look in; the first that holds an `index.html` is served. */
  readonly folders: readonly string[];
}

/** The folder of the clone, seen from the server's sources and from its build alike. */
export const CONSOLE_CONFIG: ConsoleConfig = {
  folders: [join(import.meta.dirname, '../../../console/dist')],
};
