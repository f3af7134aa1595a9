/** Numbers as people read them. Always the same in every locale. */

/** 1234567 as `1,234,567`. */
export const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ',');

/** `1 page`, `2 pages`. */
export const plural = (n: number, one: string, many = `${one}s`): string =>
  `${grouped(n)} ${n === 1 ? one : many}`;

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB'] as const;

/** Bytes: exact below 1 KiB and where whole, else one decimal. */
export function bytesText(bytes: number): string {
  if (Math.abs(bytes) < 1024) return `${bytes} B`;
  let value = bytes;
  let unit = -1;
  while (Math.abs(value) >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

/** A share as a percentage that never rounds up to 100 or down to 0. */
export function percent(part: number, of: number): string {
  if (of === 0) return '–';
  if (part === of) return '100 %';
  const value = Math.floor((part / of) * 10_000) / 100;
  return part > 0 && value === 0 ? '<0.01 %' : `${value.toFixed(2)} %`;
}
