/**
 * The decisions of a comparison that depend on numbers and texts. Everything else follows from the shapes of the two root calls and from what was decided
 * before, so what was found out about two shapes can be recalled for other calls of the same shapes by deciding the same again.
 */
import { symbolParts } from '../programs.js';
import { samePlacedAddress, type Renamings } from './addresses.js';
import type { RootCall } from './roots.js';

/** What has come out so far about the pair of root calls being compared. */
export interface Scope {
  readonly names: Renamings;
  /** Images have other lengths (a choice): sizes and places that follow from them are not compared. */
  otherLengths: boolean;
  /** Chunks lie elsewhere in their packs, for reasons that are choices. */
  otherLayout: boolean;
  /** Choices that differed. */
  choices: number;
  /** Pairs of values that were reported: where they show again, they follow. Null: none were. */
  reported: Set<string> | null;
  /** Pairs of addresses that were reported, for as long as the comparison lasts. */
  readonly displaced: Set<string>;
  /** Values that differ because others do. */
  follows: number;
}

/** What is asked. Each is answered by a small number. */
export const Ask = {
  /** 64-bit values: equal? */
  words: 0,
  /** Signed 32-bit values: equal? */
  low: 1,
  /** Texts of values, up to the tags of symbols: equal? */
  symbols: 2,
  /** Addresses: the same, or known to differ? */
  places: 3,
  /** The same where chunks lie elsewhere. */
  placesElsewhere: 4,
  /** Addresses: the same? */
  addresses: 5,
  /** 64-bit values that differ: reported before? */
  newsOfWords: 6,
  /** Numbers: equal? */
  numbers: 7,
  /** Texts: equal? */
  texts: 8,
  newsOfNumbers: 9,
  newsOfTexts: 10,
  /** Results: did one of the calls fail? */
  errors: 11,
} as const;
export type Ask = (typeof Ask)[keyof typeof Ask];

export const YES = 0;
export const NO = 1;
/** Of places: other ones, as the layout of packs is another. */
export const ELSEWHERE = 2;
/** Of places: reported before. Of news: they follow. */
export const FOLLOWS = 3;

export interface Decision {
  readonly ask: Ask;
  /** Slots in a and b; -1: there is none (of texts). */
  readonly i: number;
  readonly j: number;
  /** Forms of the values there, or 1 for a signed result. */
  readonly m: number;
  readonly n: number;
}

const symbolsIn = (root: RootCall, slot: number): string | null => (slot < 0 ? null : textIn(root, slot));

export const textIn = ({ slots, first, texts, firstText }: RootCall, slot: number): string =>
  texts[firstText + (slots[first + slot] as number)] as string;

const word = (slots: Float64Array, at: number): number =>
  (slots[at] as number) * 2 ** 32 + (slots[at + 1] as number);

const hex = (slots: Float64Array, at: number): string =>
  `${(slots[at] as number).toString(16)}:${(slots[at + 1] as number).toString(16)}`;

export const displacedKey = (a: Float64Array, i: number, b: Float64Array, j: number): string =>
  `${hex(a, i)}|${hex(b, j)}`;

/** Whether a pair of values was reported before. */
export const news = (a: string | number, b: string | number, scope: Scope): number => {
  const key = `${a}|${b}`;
  scope.reported ??= new Set();
  if (scope.reported.has(key)) return FOLLOWS;
  scope.reported.add(key);
  return YES;
};

const ERROR = 0xffffffff;

/** Whether a result says that its call failed: `form` 1 is a signed number, 2 an address, 0 another. */
const isError = (slots: Float64Array, at: number, form: number): boolean => {
  const hi = slots[at] as number;
  const lo = slots[at + 1] as number;
  return (
    (form === 1 && (lo | 0) < 0) || (form === 2 && hi === 0 && lo === 0) || (hi === ERROR && lo > 0xfffff000)
  );
};

/** Decides. Renamings may learn by it, and what is news is noted; nothing else changes. */
export const decide = ({ ask, i, j, m, n }: Decision, x: RootCall, y: RootCall, scope: Scope): number => {
  const a = x.slots;
  const b = y.slots;
  const p = x.first + i;
  const q = y.first + j;
  switch (ask) {
    case Ask.words:
      return a[p] === b[q] && a[p + 1] === b[q + 1] ? YES : NO;
    case Ask.low:
      return a[p + 1] === b[q + 1] ? YES : NO;
    case Ask.symbols: {
      const [left, right] = [symbolsIn(x, i), symbolsIn(y, j)];
      // The tag in a symbol is a hash of the program, made differently by different kernels.
      return left === right || symbolParts(left).name === symbolParts(right).name ? YES : NO;
    }
    case Ask.places:
    case Ask.placesElsewhere:
      if (samePlacedAddress(a, p, m, b, q, n, scope.names)) return YES;
      if (ask === Ask.placesElsewhere) return ELSEWHERE;
      return scope.displaced.has(displacedKey(a, p, b, q)) ? FOLLOWS : NO;
    case Ask.addresses:
      return samePlacedAddress(a, p, m, b, q, n, scope.names) ? YES : NO;
    case Ask.newsOfWords:
      return news(word(a, p), word(b, q), scope);
    case Ask.numbers:
      return a[p] === b[q] ? YES : NO;
    case Ask.texts:
      return textIn(x, i) === textIn(y, j) ? YES : NO;
    case Ask.newsOfNumbers:
      return news(a[p] as number, b[q] as number, scope);
    case Ask.newsOfTexts:
      return news(textIn(x, i), textIn(y, j), scope);
    case Ask.errors:
      return isError(a, p, m) === isError(b, q, n) ? YES : NO;
  }
};
