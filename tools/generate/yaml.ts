/** A value of JSON as YAML of two spaces, for files that people read. */
export function toYaml(value: unknown): string {
  return `${block(value, 0)}\n`;
}

function block(value: unknown, depth: number): string {
  const indent = '  '.repeat(depth);
  if (Array.isArray(value) && value.length > 0) {
    return value
      .map((each: unknown) => {
        const text = block(each, depth + 1);
        return isNested(each) ? `${indent}- ${text.trimStart()}` : `${indent}- ${text}`;
      })
      .join('\n');
  }
  if (isObject(value) && Object.keys(value).length > 0) {
    return Object.entries(value)
      .map(([key, each]) => {
        const name = `${indent}${scalar(key)}:`;
        return isNested(each) ? `${name}\n${block(each, depth + 1)}` : `${name} ${block(each, 0)}`;
      })
      .join('\n');
  }
  return scalar(value);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNested(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return isObject(value) && Object.keys(value).length > 0;
}

/** Words that YAML 1.1 reads as something else than text are quoted. */
function scalar(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  const isWord = /^[A-Za-z][A-Za-z0-9 ,.()/_-]*[A-Za-z0-9.)]$|^[A-Za-z]$/.test(value);
  const isOther = /^(?:y|n|yes|no|on|off|true|false|null)$/i.test(value);
  return isWord && !isOther ? value : JSON.stringify(value);
}
