import { expect } from 'chai';
import * as fc from 'fast-check';
import { renaming, shortRenaming } from '../../../replay/compare/addresses.js';

describe('a short renaming', () => {
  it('agrees as any does, with few names and with many, and forgets when it is cleared', () => {
    const names = fc.array(fc.tuple(fc.nat(60), fc.nat(60)), { minLength: 1, maxLength: 200 });
    const short = shortRenaming();
    fc.assert(
      fc.property(names, (pairs) => {
        const whole = renaming();
        short.clear();
        for (const [a, b] of pairs) expect(short.agree(a, b), `${a} ${b}`).to.equal(whole.agree(a, b));
      }),
    );
  });
});
