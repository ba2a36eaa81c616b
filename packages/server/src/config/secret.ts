import { inspect } from 'node:util';
import { addProblem, type Read, textOf } from '@bulla/trust/bytes/yaml/read';

/** A secret of the environment. Written as JSON or inspected it shows the variable's name alone. */
export interface Secret {
  /** The environment variable that holds it. */
  readonly variable: string;
  reveal(): string;
  toJSON(): string;
}

/** The variables of a process, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

const readName = textOf(
  /^[A-Za-z_][A-Za-z0-9_]{0,127}$/,
  'the name of an environment variable, such as BULLA_REGISTRY_PASSWORD,',
);

/**
 * The name of an environment variable, and what it holds. A variable that is not set, or empty, is
 * `config.environment-unset`; no value ever stands in a problem.
 */
export function secretOf(environment: Environment): Read<Secret> {
  return (at) => {
    const variable = readName(at);
    if (variable === undefined) return undefined;
    const value = Object.hasOwn(environment, variable) ? environment[variable] : undefined;
    if (value === undefined || value === '') {
      const found = value === '' ? 'it is empty' : 'it is not set';
      const message = `expected the environment variable ${variable} of ${at.place.path}: ${found}`;
      return addProblem(at, message, { code: 'config.environment-unset' });
    }
    return makeSecret(variable, value);
  };
}

function makeSecret(variable: string, value: string): Secret {
  const shown = `[secret of ${variable}]`;
  const secret = { variable, reveal: () => value, toJSON: () => shown };
  Object.defineProperty(secret, inspect.custom, { value: () => shown, enumerable: false });
  return secret;
}
