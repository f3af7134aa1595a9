import { LINES, type LineShape } from '../core/driver/lines.js';

/** Beyond this a number says more in hex. */
const MOST = 2n ** 31n;

const valueText = (text: string, form: string | undefined): string => {
  if ((form !== 'n' && form !== 'i') || !/^0x[0-9a-f]+$/.test(text)) return text;
  const value = BigInt(text);
  if (form === 'i') return String(BigInt.asIntN(32, value));
  return value < MOST ? String(value) : text;
};

/** Values of a call line for people: counts and lengths in decimal, as recordings print them, addresses and masks in hex. */
export const valuesText = (
  fn: string,
  side: keyof LineShape,
  values: Readonly<Record<string, string>>,
): string => {
  const columns = LINES[fn]?.[side] ?? {};
  return Object.entries(values)
    .map(([name, text]) => `${name}=${valueText(text, columns[name]?.form)}`)
    .join(' ');
};
