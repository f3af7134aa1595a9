/** Answers to choices as text, so that a log carries them and an emulation can be run again from them. */
import type { ChoiceKind, Choices } from '../kernel/request.js';
import { Address } from '../value/address.js';
import { Word } from '../value/words.js';

interface Form<A> {
  readonly text: (answer: A) => string;
  readonly parse: (text: string) => A;
}

const NONE = 'none';

const number: Form<number> = { text: String, parse: Number };
const flag: Form<boolean> = { text: (answer) => (answer ? 'yes' : 'no'), parse: (text) => text === 'yes' };
const label: Form<string> = { text: (answer) => answer, parse: (text) => text };
const word: Form<Word> = { text: Word.toHex, parse: (text) => Word.fromBigInt(BigInt(text)) };

const nullable = <A>(form: Form<A>): Form<A | null> => ({
  text: (answer) => (answer === null ? NONE : form.text(answer)),
  parse: (text) => (text === NONE ? null : form.parse(text)),
});

const address: Form<Address> = { text: Address.toText, parse: (text) => Address.parse(text) ?? Address.zero };

const FORMS: { readonly [K in ChoiceKind]: Form<Choices[K]['answer']> } = {
  clone: word,
  image: number,
  final: flag,
  placement: nullable({
    text: (answer) => `${Address.toText(answer.start)}+${answer.length}`,
    parse: (text) => {
      const [start, length] = text.split('+') as [string, string];
      return { start: address.parse(start), length: Number(length) };
    },
  }),
  type: label,
  charge: number,
  buffer: nullable(word),
  chunk: nullable(address),
  trial: flag,
  area: nullable(address),
  frames: nullable({
    text: (answer) => answer.map((run) => `${run.frame}+${run.pages}`).join(' '),
    parse: (text) =>
      text.split(' ').map((run) => {
        const [frame, pages] = run.split('+').map(Number) as [number, number];
        return { frame, pages };
      }),
  }),
  frame: number,
  older: nullable({
    text: (answer) => `${Address.toText(answer.chunk)}+${answer.bytes}`,
    parse: (text) => {
      const [chunk, bytes] = text.split('+') as [string, string];
      return { chunk: address.parse(chunk), bytes: Number(bytes) };
    },
  }),
  leaf: number,
  purge: number,
  pageTable: flag,
  more: flag,
  emptied: nullable(address),
  symbol: nullable({
    text: (answer) =>
      `${Address.toText(answer.start)} ${Address.toText(answer.end)} ${Word.toHex(answer.ksym)} ${answer.name}`,
    parse: (text) => {
      const [start, end, ksym, ...name] = text.split(' ') as [string, string, string, ...string[]];
      return {
        start: address.parse(start),
        end: address.parse(end),
        ksym: word.parse(ksym),
        name: name.join(' '),
      };
    },
  }),
  patch: nullable({
    text: (answer) => `${Address.toText(answer.at)}+${answer.length}`,
    parse: (text) => {
      const [at, length] = text.split('+') as [string, string];
      return { at: address.parse(at), length: Number(length) };
    },
  }),
  result: number,
  predictor: flag,
};

export const choiceText = <K extends ChoiceKind>(what: K, answer: Choices[K]['answer']): string =>
  (FORMS[what] as Form<Choices[K]['answer']>).text(answer);
export const parseChoice = <K extends ChoiceKind>(what: K, text: string): Choices[K]['answer'] =>
  (FORMS[what] as Form<Choices[K]['answer']>).parse(text);
