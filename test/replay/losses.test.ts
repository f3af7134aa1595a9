import { expect } from 'chai';
import { ORDER_ONLY } from '../../core/event/trace.js';
import { gapWarning, lostText } from '../../replay/audit/losses.js';

describe('what an audit says of losses', () => {
  const ring = { seq: 9, lost: 3, why: 'the ring overflowed' };
  const some = { seq: 12, lost: 0, why: 'what CPU 1 did before is not in the trace' };
  const order = { seq: 3, lost: 0, why: ORDER_ONLY };

  it('counts them, and says where the number is not known', () => {
    expect(lostText({ lost: 3, gaps: [ring] }, 3)).to.equal('3 events at event 9 (the ring overflowed)');
    expect(lostText({ lost: 0, gaps: [some] }, 3)).to.equal(
      'an unknown number of events at event 12 (what CPU 1 did before is not in the trace)',
    );
    expect(lostText({ lost: 3, gaps: [ring, some] }, 1)).to.equal(
      '3 events at event 9 (the ring overflowed) and 1 more',
    );
    expect(gapWarning(some)).to.contain('an unknown number of events lost at event 12');
  });

  it('calls nothing lost that was recorded without values', () => {
    expect(lostText({ lost: 0, gaps: [order] }, 3)).to.equal(`nothing; since event 3 ${ORDER_ONLY}`);
    expect(gapWarning(order)).to.equal(`since event 3 ${ORDER_ONLY}`);
  });
});
