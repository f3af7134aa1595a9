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

/** Whether there are colours at all is decided by whoever chooses a style, not by the process's own output. */
const dress =
  (...format: Parameters<typeof styleText>[0][]): Dress =>
  (text) =>
    format.reduce<string>((dressed, one) => styleText(one, dressed, { validateStream: false }), text);

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
    bold: dress('bold'),
    dim: dress('dim'),
    good: dress('green'),
    bad: dress('red', 'bold'),
    odd: dress('yellow'),
    name: dress('cyan'),
  } satisfies Style as Style,
});

const ESCAPE = '\u001b';
const SEQUENCE = new RegExp(`${ESCAPE}\\[[0-9;]*m`, 'g');

/** Columns that a text takes on a terminal. */
export const width = (text: string): number =>
  Array.from(text.includes(ESCAPE) ? text.replace(SEQUENCE, '') : text).length;
