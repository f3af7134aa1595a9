/** The values of two call lines compared. */
import { Ask, displacedKey, ELSEWHERE, FOLLOWS, news, YES, type Scope } from './decisions.js';
import type { RootCall } from './roots.js';
import { Placed } from './shape.js';
import type { Trail } from './trail.js';
import type { CallNode, ComparedValue, FactNode, FactPlace } from './tree.js';

/** A pair of root calls while it is compared. */
export interface Deciding {
  readonly a: RootCall;
  readonly b: RootCall;
  readonly scope: Scope;
  readonly trail: Trail;
}

/** Lengths of images: everything measured by them differs with them. */
const IMAGE_LENGTHS: ReadonlySet<string> = new Set(['proglen', 'jited_len']);
const MEASURED: ReadonlySet<string> = new Set([
  'size',
  'len',
  'rw_header_size',
  'numpages',
  'jited_len',
  'curpage',
  'end',
]);

const MOST_DISPLACED = 1 << 16;

const inArea = ({ form }: FactPlace): boolean => form === Placed.area || form === Placed.code;

/** Whether two addresses are the same but for renaming. */
export const sameAddresses = (a: FactPlace, b: FactPlace, { trail }: Deciding): boolean =>
  trail.decide(Ask.addresses, a.slot, b.slot, a.form, b.form) === YES;

/** Whether two addresses are the same but for renaming, or are known to differ. */
export const samePlaces = (a: FactPlace, b: FactPlace, pair: Deciding): boolean => {
  const { scope, trail } = pair;
  const ask = scope.otherLayout && inArea(a) && inArea(b) ? Ask.placesElsewhere : Ask.places;
  const answer = trail.decide(ask, a.slot, b.slot, a.form, b.form);
  if (answer === YES) return true;
  if (answer === ELSEWHERE) {
    scope.choices++;
    return true;
  }
  if (answer === FOLLOWS) {
    scope.follows++;
    return true;
  }
  // The next time it follows.
  trail.spoil();
  const { a: x, b: y } = pair;
  scope.displaced.add(displacedKey(x.slots, x.first + a.slot, y.slots, y.first + b.slot));
  if (scope.displaced.size > MOST_DISPLACED) scope.displaced.clear();
  return false;
};

const sameValue = (a: ComparedValue, b: ComparedValue, pair: Deciding): boolean => {
  const { trail } = pair;
  if (a.text >= 0 || b.text >= 0) return trail.decide(Ask.symbols, a.text, b.text) === YES;
  if (a.form !== Placed.none && b.form !== Placed.none) return samePlaces(a, b, pair);
  return trail.decide(a.signed ? Ask.low : Ask.words, a.slot, b.slot) === YES;
};

/** False when a pair of values was reported before: it follows. */
export const isNews = (
  ask: typeof Ask.newsOfWords | typeof Ask.newsOfNumbers | typeof Ask.newsOfTexts,
  i: number,
  j: number,
  { scope, trail }: Deciding,
): boolean => {
  if (trail.decide(ask, i, j) === YES) return true;
  scope.follows++;
  return false;
};

/** Whether two facts are about as many bytes, or that was reported before. */
export const sameBytes = (x: FactNode, y: FactNode, pair: Deciding): boolean => {
  if (x.run === null && y.run === null) return true;
  if (x.bytesSlot >= 0 && y.bytesSlot >= 0)
    return (
      pair.trail.decide(Ask.numbers, x.bytesSlot, y.bytesSlot) === YES ||
      !isNews(Ask.newsOfNumbers, x.bytesSlot, y.bytesSlot, pair)
    );
  // Parts of what was cut.
  const [here, there] = [x.run?.bytes ?? 0, y.run?.bytes ?? 0];
  if (here === there) return true;
  pair.trail.spoil();
  if (news(here, there, pair.scope) === YES) return false;
  pair.scope.follows++;
  return true;
};

/** Values that differ and are no addresses: whether they were reported as such before. */
const isNewsOf = (a: ComparedValue, b: ComparedValue, pair: Deciding): boolean =>
  a.form !== Placed.none || a.text >= 0 || isNews(Ask.newsOfWords, a.slot, b.slot, pair);

const sameChoice = (a: ComparedValue, b: ComparedValue, pair: Deciding): boolean =>
  a.form !== Placed.none && b.form !== Placed.none ? sameAddresses(a, b, pair) : sameValue(a, b, pair);

/** Names of the compared values that differ. Choices that differ are counted. */
export const differingValues = (
  a: readonly ComparedValue[],
  b: readonly ComparedValue[],
  pair: Deciding,
): readonly string[] => {
  const { scope } = pair;
  const differing: string[] = [];
  for (const value of a) {
    const other = b.find(({ name }) => name === value.name);
    if (other === undefined) continue;
    const isChoice = value.class === 'choice' || other.class === 'choice';
    // A choice that is an address teaches which one stands for which, where they can.
    if (isChoice ? sameChoice(value, other, pair) : sameValue(value, other, pair)) continue;
    if (isChoice) {
      scope.choices++;
      if (IMAGE_LENGTHS.has(value.name)) {
        scope.otherLengths = true;
        scope.otherLayout = true;
      }
    } else if (scope.otherLengths && (MEASURED.has(value.name) || value.form !== Placed.none))
      scope.choices++;
    else if (isNewsOf(value, other, pair)) differing.push(value.name);
  }
  return differing;
};

/** How the error of a call would show in a value. */
const errorForm = ({ signed, form }: ComparedValue): number => (signed ? 1 : form !== Placed.none ? 2 : 0);

/** The results by which one of two calls failed and the other did not; null: they did not part there. */
export const failsApart = (a: CallNode, b: CallNode, { trail }: Deciding): readonly string[] | null => {
  if (a.results === null || b.results === null) return null;
  const apart: string[] = [];
  for (const value of a.results) {
    const other = b.results.find(({ name }) => name === value.name);
    if (other === undefined) continue;
    const answer = trail.decide(Ask.errors, value.slot, other.slot, errorForm(value), errorForm(other));
    if (answer !== YES) apart.push(value.name);
  }
  return apart.length === 0 ? null : apart;
};
