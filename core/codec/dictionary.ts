import { damaged, takeBytes, takeUint, takeUpTo, type Input } from './input.js';
import { newOutput, putBytes, putUint, type Output } from './output.js';
import { putText, takeText } from './utf8.js';

/** Texts of a segment being written, numbered from 0 in the order of first use. */
export type TextNumbers = Map<string, number>;

export function numberOfText(texts: TextNumbers, text: string): number {
  let number = texts.get(text);
  if (number === undefined) {
    number = texts.size;
    texts.set(text, number);
  }
  return number;
}

/** How many, then each as its length in bytes and its bytes. */
export function putDictionary(out: Output, texts: TextNumbers): void {
  putUint(out, texts.size);
  const scratch = newOutput(256);
  for (const text of texts.keys()) {
    scratch.at = 0;
    putText(scratch, text);
    putUint(out, scratch.at);
    putBytes(out, scratch.bytes.subarray(0, scratch.at));
  }
}

/** Texts of a segment being read; each is made when it is first asked for. */
export interface Dictionary {
  readonly bytes: Uint8Array;
  /** Text n lies from starts[n] to ends[n]. */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly texts: (string | undefined)[];
}

export function takeDictionary(input: Input): Dictionary {
  const size = takeUpTo(input, input.end - input.at, 'the number of texts');
  const starts: number[] = [];
  const ends: number[] = [];
  const texts: undefined[] = [];
  for (let i = 0; i < size; i++) {
    const length = takeUint(input);
    starts.push(input.at);
    takeBytes(input, length);
    ends.push(input.at);
    texts.push(undefined);
  }
  return { bytes: input.bytes, starts, ends, texts };
}

export function textOf(dictionary: Dictionary, number: number): string {
  const known = dictionary.texts[number];
  if (known !== undefined) return known;
  const { bytes, starts, ends, texts } = dictionary;
  const text = takeText({ bytes, at: starts[number] as number, end: ends[number] as number });
  texts[number] = text;
  return text;
}

export function takeTextNumber(input: Input, dictionary: Dictionary): number {
  const number = takeUint(input);
  if (number >= dictionary.texts.length) damaged(input, `text ${number} is not in the dictionary`);
  return number;
}
