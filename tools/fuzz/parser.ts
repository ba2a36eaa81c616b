/** One parser as the fuzzer sees it. */
export interface Subject {
  readonly name: string;
  readonly seeds: readonly Seed[];
  /** Imports the parser; only the one that is fuzzed is loaded. */
  readonly load: () => Promise<Trial>;
}

/** Files (a glob from the root), or one member of each of these JSON files, or the input itself. */
export type Seed =
  | { readonly files: string }
  | { readonly files: string; readonly member: readonly string[]; readonly as: 'text' | 'base64' }
  | { readonly text: string }
  | { readonly hex: string };

/** Tries one input: throws what the parser throws, and an `Error` when the writer breaks its law. */
export type Trial = (bytes: Uint8Array) => unknown;

/** How a parsed value is written again, where the parser has a writer. */
export interface Writer<Value> {
  readonly encode: (value: Value) => Uint8Array | string;
  /**
   * `stable`: what is written parses again and is then written the same. `identical`: whatever
   * parses is written back to the very bytes that were read, so there is one spelling only.
   */
  readonly law: 'stable' | 'identical';
}

/** A trial of a parser that takes bytes, with its writer's law when it has a writer. */
export function trial<Value>(parse: (bytes: Uint8Array) => Value, writer?: Writer<Value>): Trial {
  if (writer === undefined) return parse;
  return (bytes) => {
    const written = toBytes(writer.encode(parse(bytes)));
    if (writer.law === 'identical') {
      if (!written.equals(bytes)) throw new Error(`written back as ${excerpt(written)}`);
      return;
    }
    const again = toBytes(writer.encode(reparse(parse, written)));
    if (!again.equals(written)) {
      throw new Error(`written as ${excerpt(written)}, then as ${excerpt(again)}`);
    }
  };
}

/** The same for a parser that takes text; bytes that are not UTF-8 reach it as U+FFFD. */
export function textTrial<Value>(parse: (text: string) => Value, writer?: Writer<Value>): Trial {
  const fromText = trial((bytes) => parse(toBytes(bytes).toString('utf8')), writer);
  return (bytes) => fromText(Buffer.from(toBytes(bytes).toString('utf8')));
}

function reparse<Value>(parse: (bytes: Uint8Array) => Value, written: Uint8Array): Value {
  try {
    return parse(written);
  } catch (cause) {
    throw new Error(`refuses what it wrote itself: ${excerpt(written)}`, { cause });
  }
}

function toBytes(value: Uint8Array | string): Buffer {
  return Buffer.from(value);
}

function excerpt(bytes: Uint8Array): string {
  return JSON.stringify(Buffer.from(bytes.subarray(0, 120)).toString('latin1'));
}
