import { readFile } from 'node:fs/promises';
import { parseJson } from '@bulla/trust/bytes/json';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { StreamEvent } from '../event.ts';
import { ALERT_VARIABLES, type AlertVariable, alertOf, plain } from './alert.ts';
import type { FormatOptions } from './format.ts';

/** Fills a template with an event. */
export type Fill = (event: StreamEvent, options: FormatOptions) => object;

const FILE_MOST_BYTES = 256 << 10;
const VALUE_LONGEST = 4000;
const HOLE = /\{\{\s*([a-z_]+)\s*(?:\|\s*([a-z_]+)\s*)?\}\}/g;

/** A text of the template with what stands in its holes. */
type Values = (variable: AlertVariable, isRaw: boolean) => string;
type Node = (values: Values) => unknown;

/**
 * A template of an alert: a JSON document, in whose texts `{{ variable }}` stands for a value, as in
 * Connaisseur's; the variables are `ALERT_VARIABLES`. It is parsed before anything is filled in, so no
 * value can add a member to it; values are cleaned of markup unless `{{ variable | raw }}` asks for
 * them as they are. Throws `stream.template-invalid` for a file that cannot be read, is not a JSON
 * object, or names an unknown variable.
 */
export async function openTemplate(path: string): Promise<Fill> {
  const where = `the template ${quote(path)}`;
  const document = await readDocument(path, where);
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new TrustFault('stream.template-invalid', `expected an object in ${where}`);
  }
  const members = membersOf(document, where);
  return (event, options) => {
    const { values } = alertOf(event, options);
    const value: Values = (variable, isRaw) =>
      isRaw ? values[variable] : plain(values[variable], VALUE_LONGEST);
    return filled(members, value);
  };
}

async function readDocument(path: string, where: string): Promise<unknown> {
  try {
    return parseJson(await readFile(path), where, { maxBytes: FILE_MOST_BYTES });
  } catch (cause) {
    const says = `${where} cannot be read, or is not JSON`;
    throw new TrustFault('stream.template-invalid', says, undefined, { cause });
  }
}

function compile(value: unknown, where: string): Node {
  if (typeof value === 'string') return compileText(value, where);
  if (Array.isArray(value)) {
    const items = value.map((item) => compile(item, where));
    return (values) => items.map((item) => item(values));
  }
  if (typeof value !== 'object' || value === null) return () => value;
  const members = membersOf(value, where);
  return (values) => filled(members, values);
}

type Members = readonly (readonly [string, Node])[];

function membersOf(value: object, where: string): Members {
  return Object.entries(value).map(([key, item]) => [key, compile(item, where)] as const);
}

function filled(members: Members, values: Values): object {
  const made: Record<string, unknown> = Object.create(null);
  for (const [key, item] of members) made[key] = item(values);
  return made;
}

function compileText(text: string, where: string): Node {
  const rest = text.replace(HOLE, '');
  if (rest.includes('{{') || rest.includes('{%')) {
    const says = `expected {{ variable }} in ${where}, found ${quote(text)}`;
    throw new TrustFault('stream.template-invalid', says);
  }
  for (const [, name = '', filter] of text.matchAll(HOLE)) {
    if (isVariable(name) && (filter === undefined || filter === 'raw')) continue;
    const says = `${where} names ${quote(filter === undefined ? name : `${name} | ${filter}`)}, which there is not`;
    throw new TrustFault('stream.template-invalid', says);
  }
  return (values) =>
    text.replace(HOLE, (whole, name: string, filter: string | undefined) =>
      isVariable(name) ? values(name, filter === 'raw') : whole,
    );
}

function isVariable(name: string): name is AlertVariable {
  return ALERT_VARIABLES.some((known) => known === name);
}
