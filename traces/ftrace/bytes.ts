/** Bytes of ASCII that the trace formats are made of, and small scans over them. */
export const NUL = 0;
export const NEWLINE = 10;
export const RETURN = 13;
export const SPACE = 32;
export const QUOTE = 34;
export const HASH = 35;
export const OPEN = 40;
export const CLOSE = 41;
export const MINUS = 45;
export const DOT = 46;
export const ZERO = 48;
export const COLON = 58;
export const LESS = 60;
export const EQUALS = 61;
export const OPEN_BRACKET = 91;
export const CLOSE_BRACKET = 93;
export const LOWER_X = 120;
export const OPEN_BRACE = 123;
export const CLOSE_BRACE = 125;

/** Value of a hexadecimal digit by its byte, 16 and more for other bytes. */
export const HEX: Uint8Array = new Uint8Array(256).fill(255);
/** 1 for the bytes of a C identifier, 2 for its digits. */
export const IDENTIFIER: Uint8Array = new Uint8Array(256);

for (let i = 0; i < 10; i++) HEX[ZERO + i] = i;
for (let i = 0; i < 6; i++) HEX[97 + i] = HEX[65 + i] = 10 + i;
for (let i = 0; i < 26; i++) IDENTIFIER[97 + i] = IDENTIFIER[65 + i] = 1;
IDENTIFIER[95] = 1;
for (let i = 0; i < 10; i++) IDENTIFIER[ZERO + i] = 2;

export const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 48 && byte <= 57;

/** First index from `p` to `e` that is no space. */
export function skipSpaces(bytes: Uint8Array, p: number, e: number): number {
  while (p < e && bytes[p] === SPACE) p++;
  return p;
}

/** First index from `p` to `e` that is no digit. */
export function skipDigits(bytes: Uint8Array, p: number, e: number): number {
  while (p < e && isDigit(bytes[p])) p++;
  return p;
}

/** First index from `p` to `e` that holds `byte`, `e` when none does. */
export function find(bytes: Uint8Array, byte: number, p: number, e: number): number {
  while (p < e && bytes[p] !== byte) p++;
  return p;
}

/** First index from `p` to `e` where the ASCII text starts, -1 when it does not occur. */
export function findText(bytes: Uint8Array, text: string, p: number, e: number): number {
  const first = text.charCodeAt(0);
  for (const last = e - text.length; p <= last; p++) {
    if (bytes[p] === first && hasText(bytes, text, p, e)) return p;
  }
  return -1;
}

/** Whether the ASCII text stands at `p`, before `e`. */
export function hasText(bytes: Uint8Array, text: string, p: number, e: number): boolean {
  if (e - p < text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[p + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** Unsigned decimal of at most 15 digits, exact. */
export function decimal(bytes: Uint8Array, p: number, e: number): number {
  let n = 0;
  for (; p < e; p++) n = n * 10 + (bytes[p] as number) - ZERO;
  return n;
}
