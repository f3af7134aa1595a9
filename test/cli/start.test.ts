import { expect } from 'chai';
import { place, type Place } from './run.js';

describe('pagetrail start', function () {
  this.timeout(60_000);
  let at: Place;
  let out: string;
  before(async () => {
    at = place();
    const ran = await at.spawn(['start']);
    expect(ran.err).to.equal('');
    expect(ran.code).to.equal(0);
    out = ran.out;
  });
  after(() => at.remove());

  it('counts what it says of the pack from the log', async () => {
    const { out: json } = await at.run(['state', 'rc3@#loaded20', '--json']);
    const state = JSON.parse(json) as {
      programs: readonly { chunk: string }[];
      packs: readonly { start: string }[];
    };
    const [pack] = state.packs;
    expect(out).to.include(`one 2 MiB page with ${state.programs.length} programs`);
    expect(out).to.include(`npx pagetrail why ${pack?.start} 'rc3@#loaded20'`);
  });

  it('says how much of the reloaded pack is code of freed programs', async () => {
    const { out: json } = await at.run(['start', '--json', '--db', at.path('again.db')]);
    const { executable_leftovers: left } = JSON.parse(json) as {
      executable_leftovers: Readonly<Record<string, readonly { inherited: number }[]>>;
    };
    expect(Object.keys(left)).to.deep.equal(['rc3', 'rc3-series']);
    expect(left['rc3']?.[0]?.inherited).to.be.above(0);
    expect(left['rc3-series']).to.deep.equal([]);
    expect(out).to.match(/#reloaded1\): [\d,]+ such bytes executable, [1-9][\d,]* of them old code/);
  });

  it('may be run again', async () => {
    const again = await at.spawn(['start']);
    expect(again.code).to.equal(0);
    expect(again.out).to.equal(out);
  });
});
