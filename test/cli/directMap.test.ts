/** Questions about addresses in the direct map, as a crash or `state` shows them. */
import { expect } from 'chai';
import { bundledRecording } from '../../traces/bundledRecordings.js';
import { place, type Place } from './run.js';

/** The frame of the pack's first page, and its alias. */
const ALIAS = '0xffff888003f5b640';

describe('an address in the direct map', function () {
  this.timeout(60_000);
  let at: Place;
  before(async () => {
    at = place();
    await at.run(['import', bundledRecording('x86_64-6.1-S3-subprogs-classic'), '--name', 't', '--quiet']);
  });
  after(() => at.remove());

  it('is explained by `why`: what it is, what it backs, and what lies there', async () => {
    const { code, out } = await at.run(['why', ALIAS, 't']);
    expect(code).to.equal(0);
    expect(out).to.include('In the direct map: physical 0x0000000003f5b000, which backs 0xffffffffc0000000');
    expect(out).to.match(/^Direct map r--, 4K page, physical 0x0000000003f5b000$/m);
    expect(out).to.match(/^Content: trap fill \(0xcccccccc\)$/m);
    const json = JSON.parse((await at.run(['why', ALIAS, 't', '--json'])).out) as object;
    expect(json).to.deep.include({
      page: null,
      direct_map: { phys: '0x0000000003f5b000', backs: '0xffffffffc0000000' },
    });
  });

  it('of which nothing was recorded is said to be one', async () => {
    const { code, out } = await at.run(['why', '0xffff888030000000', 't']);
    expect(code).to.equal(4);
    expect(out).to.include('In the direct map: physical 0x0000000030000000\n');
    expect(out).to.include('Nothing was recorded of this page of the direct map.');
  });

  for (const words of [
    ['history', ALIAS, 't'],
    ['last', ALIAS, 't'],
    ['first', ALIAS, 't'],
    ['bisect', 't', '--when', `page(${ALIAS}).w`],
    ['bisect', 't', '--when', `!alias(${ALIAS}).w`],
  ])
    it(`is no virtual page that was never mapped: ${words.join(' ')}`, async () => {
      const { code, err } = await at.run(words);
      expect(code).to.equal(2);
      expect(err)
        .to.include('lies in the direct map')
        .and.include('0xffffffffc0000000, which the frame backs');
    });
});
