/** What an expression is worth at a moment: true, false, a number, a text, or not known. */
export type Value = boolean | bigint | string | null;

/** A value as it is shown. Numbers are shown in both ways where they look like addresses. */
export const valueText = (value: Value): string => {
  if (value === null) return 'not known';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint' && value >= 0x100000000n) return `0x${value.toString(16).padStart(16, '0')}`;
  return String(value);
};

/** The same for programs: large numbers as text, which JSON keeps exactly. */
export const valueJson = (value: Value): boolean | number | string | null =>
  typeof value === 'bigint'
    ? Number.isSafeInteger(Number(value))
      ? Number(value)
      : valueText(value)
    : value;
