import { damaged, takeByte, type Input } from './input.js';
import { reserve, type Output } from './output.js';

/** Taken from the prototype once: looked up in texts of many inner forms it would be found anew for each unit. */
const codeUnit = (String.prototype as { readonly charCodeAt: (this: string, index: number) => number })
  .charCodeAt;

/**
 * Text as UTF-8 in which a lone surrogate is three bytes too (WTF-8), so that every string comes back as it was.
 * No TextEncoder: it would replace lone surrogates, and for short texts it is slower.
 */
export function putText(out: Output, text: string): void {
  reserve(out, text.length * 3);
  const { bytes } = out;
  let { at } = out;
  const units = text.length;
  for (let i = 0; i < units; i++) {
    let code = codeUnit.call(text, i);
    if (code < 0x80) {
      bytes[at++] = code;
      continue;
    }
    if (code < 0x800) {
      bytes[at++] = 0xc0 | (code >> 6);
      bytes[at++] = 0x80 | (code & 63);
      continue;
    }
    const next = (code & 0xfc00) === 0xd800 ? codeUnit.call(text, i + 1) : 0;
    if ((next & 0xfc00) === 0xdc00) {
      code = 0x10000 + ((code & 0x3ff) << 10) + (next & 0x3ff);
      i++;
      bytes[at++] = 0xf0 | (code >> 18);
      bytes[at++] = 0x80 | ((code >> 12) & 63);
    } else bytes[at++] = 0xe0 | (code >> 12);
    bytes[at++] = 0x80 | ((code >> 6) & 63);
    bytes[at++] = 0x80 | (code & 63);
  }
  out.at = at;
}

const PIECE = 4096; // code units given to fromCharCode at once

/** Up to this length letters are put together one by one: a call of the decoder costs as much. */
const SHORT = 12;

/** For what is ASCII only. */
const decoder = new TextDecoder();

function asciiText(bytes: Uint8Array, at: number, end: number): string {
  if (end - at > SHORT) return decoder.decode(bytes.subarray(at, end));
  let text = '';
  for (let i = at; i < end; i++) text += String.fromCharCode(bytes[i] as number);
  return text;
}

function takeContinuation(input: Input): number {
  const byte = takeByte(input);
  if ((byte & 0xc0) !== 0x80) damaged(input, 'text is not UTF-8');
  return byte & 63;
}

function takeCodePoint(input: Input): number {
  const lead = takeByte(input);
  if (lead < 0x80) return lead;
  const first = takeContinuation(input);
  if (lead >= 0xc0 && lead < 0xe0) return ((lead & 31) << 6) | first;
  const second = takeContinuation(input);
  if (lead >= 0xe0 && lead < 0xf0) return ((lead & 15) << 12) | (first << 6) | second;
  const code = ((lead & 7) << 18) | (first << 12) | (second << 6) | takeContinuation(input);
  if (lead < 0xf0 || lead > 0xf4 || code > 0x10ffff) damaged(input, 'text is not UTF-8');
  return code;
}

/** The rest of the input as text. */
export function takeText(input: Input): string {
  const { bytes, at, end } = input;
  let ascii = at;
  while (ascii < end && (bytes[ascii] as number) < 0x80) ascii++;
  if (ascii === end) return asciiText(bytes, at, end);
  let text = '';
  let units: number[] = [];
  while (input.at < end) {
    const code = takeCodePoint(input);
    if (code < 0x10000) units.push(code);
    else units.push(0xd7c0 + (code >> 10), 0xdc00 | (code & 0x3ff));
    if (units.length < PIECE) continue;
    text += String.fromCharCode(...units);
    units = [];
  }
  return text + String.fromCharCode(...units);
}
