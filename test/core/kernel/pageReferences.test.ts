import { expect } from 'chai';
import * as fc from 'fast-check';
import { backingOf, pageReferences } from '../../../core/kernel/pageReferences.js';
import { profileNamed } from '../../../core/profile/profiles.js';

const ORDER = 3;
const PAGES = 16;

describe('References to pages of an area', () => {
  it('are shared by a compound page, so that one of them keeps its whole block', () => {
    const pages = pageReferences('compound', PAGES, ORDER);
    pages.get(5);
    expect(pages.free()).to.equal(8);
    expect(pages.held()).to.equal(8);
    expect(pages.put(5)).to.equal(true);
    expect(pages.held()).to.equal(0);
    expect(pages.put(5)).to.equal(false);
  });

  it('are independent once the block is split', () => {
    const pages = pageReferences('split', PAGES, ORDER);
    pages.get(5);
    expect(pages.free()).to.equal(15);
    expect(pages.held()).to.equal(1);
    expect(pages.put(5)).to.equal(true);
    expect(pages.put(4)).to.equal(false);
  });

  it('keep what any sequence of references says', () => {
    const page = fc.integer({ min: 0, max: PAGES - 1 });
    fc.assert(
      fc.property(
        fc.constantFrom('compound', 'split'),
        fc.array(page, { maxLength: 20 }),
        (backing, taken) => {
          const pages = pageReferences(backing, PAGES, ORDER);
          for (const one of taken) pages.get(one);
          const kept = new Set(taken.map((one) => (backing === 'compound' ? one - (one % 8) : one)));
          const expected = kept.size * (backing === 'compound' ? 8 : 1);
          expect(pages.free()).to.equal(PAGES - expected);
          expect(pages.held()).to.equal(expected);
          for (const one of taken) expect(pages.put(one)).to.equal(true);
          expect(pages.held()).to.equal(0);
        },
      ),
    );
  });

  it('are of compound pages to 5.18-rc3 only', () => {
    expect(
      ['5.18-rc3', '5.18-rc5', '6.1', '7.2'].map((name) => backingOf(profileNamed(name) as never)),
    ).to.deep.equal(['compound', 'split', 'split', 'split']);
  });
});
