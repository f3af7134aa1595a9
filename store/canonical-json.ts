/** What JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

const DEEPEST = 64;

/**
 * The one text of a JSON value: keys sorted by UTF-16 code units, no spaces, numbers as JavaScript prints them. Properties
 * that are undefined are left out. Null when the value is not JSON (bigint, NaN, function, instance of a class, a cycle).
 */
export function canonicalJson(value: unknown, depth = 0): string | null {
  if (depth > DEEPEST) return null;
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value);
    case 'number':
      return Number.isFinite(value) ? JSON.stringify(value) : null;
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? arrayText(value, depth) : objectText(value, depth);
    default:
      return null;
  }
}

function arrayText(values: readonly unknown[], depth: number): string | null {
  const texts = values.map((value) => canonicalJson(value, depth + 1));
  return texts.includes(null) ? null : `[${texts.join(',')}]`;
}

function objectText(value: object, depth: number): string | null {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return null;
  const parts: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const member = (value as Record<string, unknown>)[key];
    if (member === undefined) continue;
    const text = canonicalJson(member, depth + 1);
    if (text === null) return null;
    parts.push(`${JSON.stringify(key)}:${text}`);
  }
  return `{${parts.join(',')}}`;
}

/** The object that a stored text holds; empty when the text is damaged (`verify` names the damage). */
export function parseObject(text: string): JsonObject {
  const value = parseJson(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

/** The value of a stored text; undefined when it is damaged. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
