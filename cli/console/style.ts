import { styleText } from 'node:util';

type Dress = (text: string) => string;

/** Colours, or none: where the output is no terminal every one of them gives its text back. */
export interface Style {
  readonly bold: Dress;
  readonly dim: Dress;
  readonly good: Dress;
  readonly bad: Dress;
  readonly odd: Dress;
  readonly name: Dress;
}

const plain: Dress = (text) => text;

export const Style = Object.freeze({
  none: {
    bold: plain,
    dim: plain,
    good: plain,
    bad: plain,
    odd: plain,
    name: plain,
  } satisfies Style as Style,

  colours: {
    bold: (text) => styleText('bold', text),
    dim: (text) => styleText('dim', text),
    good: (text) => styleText('green', text),
    bad: (text) => styleText(['red', 'bold'], text),
    odd: (text) => styleText('yellow', text),
    name: (text) => styleText('cyan', text),
  } satisfies Style as Style,
});

const ESCAPE = '\u001b';
const SEQUENCE = new RegExp(`${ESCAPE}\\[[0-9;]*m`, 'g');

/** Columns that a text takes on a terminal. */
export const width = (text: string): number =>
  Array.from(text.includes(ESCAPE) ? text.replace(SEQUENCE, '') : text).length;
