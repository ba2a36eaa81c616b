/** Where the console's files lie. */
export interface ConsoleConfig {
  /** Folders to look in; the first that holds an `index.html` is served. */
  readonly folders: readonly string[];
}
