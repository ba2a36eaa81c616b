import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { Command, Option } from 'commander';

/** Collects the values of a repeatable option. */
export function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

/** Makes options of a command that may be given several times; none given is an empty list. */
export function repeatableOptions(
  command: Command,
): (flags: string, description: string, shown?: string) => Option {
  return (flags, description, shown = 'none') =>
    command.createOption(flags, description).argParser(collect).default([], shown);
}

/** Collects `k=v` pairs of a repeatable option; the same key twice with two values is refused. */
export function collectPairs(
  text: string,
  previous: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  const key = text.slice(0, at);
  const value = text.slice(at + 1);
  if (at < 1) throw new TrustFault('usage.invalid', `expected KEY=VALUE, found ${quote(text)}`);
  if (Object.hasOwn(previous, key) && previous[key] !== value) {
    throw new TrustFault('usage.invalid', `two values for the annotation ${quote(key)}`);
  }
  return { ...previous, [key]: value };
}

/** Declares `--annotation k=v` (repeatable), and `--annotations`, as cosign spells it, unlisted. */
export function addAnnotationOption(command: Command, description: string): Command {
  const merge = (text: string): Readonly<Record<string, string>> => {
    const merged = collectPairs(text, command.getOptionValue('annotation'));
    command.setOptionValue('annotation', merged);
    return merged;
  };
  return command
    .addOption(
      command
        .createOption('-a, --annotation <k=v>', description)
        .argParser(collectPairs)
        .default({}, 'none'),
    )
    .addOption(command.createOption('--annotations <k=v>').argParser(merge).hideHelp());
}
