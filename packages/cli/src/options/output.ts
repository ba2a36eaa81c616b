import type { Command, Option } from 'commander';

/** The formats that every command has which prints more than one line. */
const FORMATS = ['text', 'json'] as const;

/** `-o text|json`, or with the formats of a command of its own. */
export function outputOption(command: Command, formats: readonly string[] = FORMATS): Option {
  return command
    .createOption('-o, --output <format>', 'how to print')
    .choices(formats)
    .default('text');
}
