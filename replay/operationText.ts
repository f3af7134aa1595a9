/** What a workload says of an operation, on one line: an emulation keeps the whole operation as JSON, of which the plain values are shown. */

const MOST = 120;

/** What the kernel decided later, or is said elsewhere. */
const LEFT_OUT = new Set(['op', 'tag', 'capable', 'blinded']);

const isPlain = (value: unknown): value is string | number | boolean =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

const shortened = (text: string): string => (text.length <= MOST ? text : `${text.slice(0, MOST - 1)}…`);

export const operationText = (text: string): string => {
  if (!text.startsWith('{"op":')) return text;
  try {
    const operation = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const parts = Object.entries(operation).flatMap(([name, value]) =>
      LEFT_OUT.has(name) || !isPlain(value) ? [] : [`${name}=${value}`],
    );
    return shortened([String(operation['op']), ...parts].join(' '));
  } catch {
    return shortened(text);
  }
};
