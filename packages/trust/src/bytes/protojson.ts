import { quote, TrustFault } from '../fault/fault.ts';
import { asObject, type Cursor, member } from './shape.ts';

// Field names stand in the code, so there are few.
const SNAKES = new Map<string, string>();

function snake(name: string): string {
  let original = SNAKES.get(name);
  if (original === undefined) {
    original = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    SNAKES.set(name, original);
  }
  return original;
}

/**
 * A cursor on a protobuf field of a message in ProtoJSON, which parsers accept in lowerCamelCase
 * and in its original snake_case. Throws the cursor's code when both are there.
 */
export function protoField(at: Cursor, name: string): Cursor {
  const camel = member(at, name);
  const original = snake(name);
  if (original === name || !Object.hasOwn(asObject(at), original)) return camel;
  const other = member(at, original);
  if (camel.value !== undefined && other.value !== undefined) {
    throw new TrustFault(at.code, `both ${name} and ${original} at ${at.path}`);
  }
  return camel.value === undefined && other.value !== undefined ? other : camel;
}

/** Throws the cursor's code for a field that is not of `known` (in either spelling). */
export function refuseUnknownFields(at: Cursor, known: readonly string[]): void {
  for (const key of Object.keys(asObject(at))) {
    if (!known.includes(key) && !known.some((name) => snake(name) === key)) {
      throw new TrustFault(at.code, `unknown field ${quote(key)} at ${at.path}`);
    }
  }
}
