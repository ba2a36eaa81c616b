import { addUnexpected, type Read, readString } from './read.ts';

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1 << 10,
  MiB: 1 << 20,
  GiB: 1 << 30,
  TiB: 2 ** 40,
};

/** A span of time such as `500ms`, `30s`, `15m`, `12h` or `7d`, in milliseconds, within bounds. */
export function durationMsOf({
  minMs = 1,
  maxMs = 3650 * 86_400_000,
}: {
  readonly minMs?: number;
  readonly maxMs?: number;
} = {}): Read<number> {
  const expected = 'a time such as 30s, 15m, 12h or 7d';
  return quantityOf(/^([0-9]{1,9})(ms|s|m|h|d)$/, DURATION_UNITS, expected, minMs, maxMs);
}

/** An amount of bytes such as `512KiB`, `64MiB` or `2GiB`, within bounds. */
export function sizeBytesOf({
  minBytes = 1,
  maxBytes = 2 ** 50,
}: {
  readonly minBytes?: number;
  readonly maxBytes?: number;
} = {}): Read<number> {
  const expected = 'a size such as 512KiB, 64MiB or 2GiB';
  return quantityOf(/^([0-9]{1,9})(B|KiB|MiB|GiB|TiB)$/, SIZE_UNITS, expected, minBytes, maxBytes);
}

function quantityOf(
  form: RegExp,
  units: Readonly<Record<string, number>>,
  expected: string,
  min: number,
  max: number,
): Read<number> {
  return (at) => {
    if (at.node?.kind === 'scalar' && typeof at.node.value === 'number') {
      return addUnexpected(at, `${expected}, with its unit`);
    }
    const text = readString(at);
    if (text === undefined) return undefined;
    const [, digits = '', unit = ''] = form.exec(text) ?? [];
    const value = Number(digits) * (units[unit] ?? Number.NaN);
    if (Number.isNaN(value)) return addUnexpected(at, expected);
    if (value >= min && value <= max) return value;
    return addUnexpected(at, `${expected}, ${within(min, max, units)}`);
  };
}

function within(min: number, max: number, units: Readonly<Record<string, number>>): string {
  return `from ${written(min, units)} to ${written(max, units)}`;
}

/** A bound in the largest unit that divides it. */
function written(value: number, units: Readonly<Record<string, number>>): string {
  const [name, size] = Object.entries(units).findLast(([, unit]) => value % unit === 0) ?? ['', 1];
  return `${value / size}${name}`;
}
