import { expect } from 'chai';
import type { Part } from '../../../replay/compare/shape.js';
import {
  atToken,
  FORM_BASE,
  formsToken,
  MOST_FORMS,
  newTrie,
  partToken,
  shapeOf,
  type State,
  type Trie,
} from '../../../replay/compare/trie.js';

const column = { name: 'size', class: 'compared', signed: false } as const;
const PARTS: readonly Part[] = [
  { part: 'enter', fn: 'f', isKept: true, via: null, columns: [column, column] },
  {
    part: 'enter',
    fn: 'g',
    isKept: true,
    via: null,
    columns: Array.from({ length: MOST_FORMS + 1 }, () => column),
  },
  { part: 'return', columns: [] },
];

const along = (trie: Trie, tokens: readonly number[]): State =>
  tokens.reduce((state, token) => trie.next(state, token), trie.start());

describe('shapes by their steps', () => {
  it('are told with the call of each step and the forms of its values', () => {
    const many = Array.from({ length: MOST_FORMS }, (_, i) => i % FORM_BASE);
    const packed = many.reduce((sum, form) => sum * FORM_BASE + form, 0);
    const trie = newTrie();
    const state = along(trie, [
      partToken(0),
      formsToken(2 * FORM_BASE + 3),
      partToken(1),
      formsToken(packed),
      formsToken(4),
      partToken(2),
      partToken(2),
      atToken(0),
      partToken(2),
    ]);
    const steps = shapeOf(state, PARTS).steps.map(({ part, node, forms }) => [part.part, node, forms]);
    expect(steps).to.deep.equal([
      ['enter', -1, [2, 3]],
      ['enter', 0, [...many, 4]],
      ['return', 1, []],
      ['return', 0, []],
      ['return', 0, []],
    ]);
  });

  it('have one number, which is new once', () => {
    const trie = newTrie();
    const first = trie.shapeAt(along(trie, [partToken(0), partToken(2)]));
    const other = trie.shapeAt(along(trie, [partToken(1), partToken(2)]));
    const again = trie.shapeAt(along(trie, [partToken(0), partToken(2)]));
    expect(first.isNew && other.isNew).to.equal(true);
    expect(again).to.deep.equal({ id: first.id, isNew: false });
    expect(other.id).not.to.equal(first.id);
  });

  it('are told anew when there were too many', () => {
    const trie = newTrie(2);
    const state = along(trie, [partToken(0), partToken(1), partToken(2)]);
    const { id } = trie.shapeAt(state);
    const round = trie.round();
    trie.renew();
    expect(trie.round()).to.equal(round + 1);
    const again = trie.shapeAt(along(trie, [partToken(0), partToken(1), partToken(2)]));
    expect(again.isNew).to.equal(true);
    expect(again.id).not.to.equal(id);
    // A root call that began before ends after.
    expect(trie.shapeAt(state).isNew).to.equal(true);
  });
});
