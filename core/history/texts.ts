/** Texts with their length before them. */
import { takeInput, takeUint, type Input } from '../codec/input.js';
import { newOutput, putBytes, putUint, type Output } from '../codec/output.js';
import { putText, takeText } from '../codec/utf8.js';

export const putSized = (out: Output, text: string): void => {
  const own = newOutput(text.length * 3);
  putText(own, text);
  putUint(out, own.at);
  putBytes(out, own.bytes.subarray(0, own.at));
};

export const takeSized = (input: Input): string => takeText(takeInput(input, takeUint(input)));
