import { expect } from 'chai';
import { blocksMeet, encodeBlocks } from '../../../core/history/touchedBlocks.js';
import { random } from '../../../core/value/random.js';

describe('runs of blocks as bytes', () => {
  it('meet exactly the blocks that they were made of', () => {
    const chance = random(3);
    for (let round = 0; round < 200; round++) {
      const runs: number[] = [];
      const blocks = new Set<number>();
      for (let i = chance.below(8); i > 0; i--) {
        const first = chance.below(300);
        const last = first + chance.below(40);
        runs.push(first, last);
        for (let block = first; block <= last; block++) blocks.add(block);
      }
      const bytes = encodeBlocks(runs);
      for (let i = 0; i < 50; i++) {
        const first = chance.below(360) - 10;
        const last = first + chance.below(6);
        let meets = false;
        for (let block = first; block <= last; block++) meets ||= blocks.has(block);
        expect(blocksMeet(bytes, first, last), `${first} to ${last} of ${runs.join(' ')}`).to.equal(meets);
      }
    }
  });
});
