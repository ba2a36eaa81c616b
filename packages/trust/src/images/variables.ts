import { quote, TrustFault } from '../fault/fault.ts';

/** Values of variables by name; undefined where none was given. */
export type Variables = (name: string) => string | undefined;

const VARIABLE =
  /\\(?<escaped>\$)|\$\$|\$(?:(?<plain>[A-Za-z_][A-Za-z0-9_]*)|\{(?<name>[A-Za-z_][A-Za-z0-9_]*)(?:(?<operator>:?[-+?])(?<word>[^${}]*))?\})/g;

/**
 * `text` with its variables replaced: `$NAME`, `${NAME}`, and the forms `:-`, `-`, `:+`, `+`, `:?`,
 * `?` of Dockerfiles and Compose files. Throws `images.variable-unset` for one without a value and
 * for what else begins with `$`, because an image that nobody can name cannot be judged.
 */
export function replaceVariables(text: string, variables: Variables, where: string): string {
  const replaced = text.replace(VARIABLE, (...match) => {
    const groups: unknown = match.at(-1);
    return valueOfMatch(match[0], asGroups(groups), variables, where);
  });
  const left = text.replace(VARIABLE, '');
  if (left.includes('$')) {
    throw new TrustFault(
      'images.variable-unset',
      `expected a variable after "$" at ${where}, found ${quote(text)}`,
    );
  }
  return replaced;
}

interface VariableGroups {
  readonly escaped?: string | undefined;
  readonly plain?: string | undefined;
  readonly name?: string | undefined;
  readonly operator?: string | undefined;
  readonly word?: string | undefined;
}

function asGroups(value: unknown): VariableGroups {
  return typeof value === 'object' && value !== null ? value : {};
}

function valueOfMatch(
  whole: string,
  { plain, name, operator = '', word = '' }: VariableGroups,
  variables: Variables,
  where: string,
): string {
  const asked = plain ?? name;
  if (asked === undefined) return '$';
  const value = variables(asked);
  const isSet = value !== undefined && (value !== '' || !operator.startsWith(':'));
  if (operator.endsWith('+')) return isSet ? word : '';
  if (isSet) return value;
  if (operator.endsWith('-')) return word;
  throw new TrustFault(
    'images.variable-unset',
    `expected a value for ${quote(asked)} in ${quote(whole)} at ${where}, found none`,
  );
}
