import { expect } from 'chai';
import { CLAIMS } from '../../replay/claims/claims.js';
import { judge } from '../../replay/claims/claim.js';
import { labs } from '../../cli/claims/lab.js';
import { place, type Place } from './run.js';

/** Words of a command line as a shell takes them: quotes hold a word together. */
const wordsOf = (line: string): readonly string[] =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');

/** What may be left unanswered: an audit says so with 4. Differences and broken rules are 1. */
const ALLOWED: Readonly<Record<string, readonly number[]>> = { audit: [0, 1, 4], diff: [0, 1] };

describe('pagetrail claims', () => {
  let at: Place;
  let printed: readonly { readonly id: string; readonly commands: readonly string[] }[];
  before(async () => {
    at = place();
    const lab = await labs();
    printed = CLAIMS.map((claim) => judge(claim, lab));
  });
  after(() => at.remove());

  const shows = async (line: string, ...expected: readonly RegExp[]): Promise<void> => {
    expect(printed.flatMap(({ commands }) => commands)).to.include(line);
    const { out } = await at.run(wordsOf(line).slice(1));
    for (const text of expected) expect(out, line).to.match(text);
  };

  it('prints commands that run as they are printed, one after the other into an empty log', async () => {
    const seen = new Set<string>();
    for (const { id, commands } of printed)
      for (const line of commands) {
        if (seen.has(line)) continue;
        seen.add(line);
        const [program, verb = '', ...rest] = wordsOf(line);
        expect(program).to.equal('pagetrail');
        const { code, out, err } = await at.run([verb, ...rest]);
        expect(code, `${id}: ${line}\n${err}`).to.be.oneOf([...(ALLOWED[verb] ?? [0])]);
        expect(out, `${id}: ${line}`).to.not.equal('');
      }
    expect(seen.size).to.be.greaterThan(CLAIMS.length);
  });

  it('prints commands whose output holds what was seen', async () => {
    await shows(
      "pagetrail events c2 --to '#loaded' --kind area-allocated,filled,permission,pack-created",
      /filled .*\n(.*\n)*.*permission .*\n(.*\n)*.*permission /,
    );
    await shows("pagetrail state 'c4@#loaded'", /r-x/, /448 bytes/);
    await shows(
      'pagetrail matrix one-program --kernels 6.12 --arches ppc64le',
      /r-x, alias writable, pages +512/,
    );
    await shows("pagetrail state 'c10@#loaded'", / 2M +rw-/);
    await shows(
      'pagetrail events c10 --kind entered,returned,warned',
      /ret=-22/,
      /warned change_memory_attr/,
    );
    await shows('pagetrail state c12-fails', /r--/);
    await shows('pagetrail state c13', /JIT memory charged: 448 bytes/);
    await shows(
      'pagetrail matrix seven-programs --kernels 5.17,5.18-rc5',
      /direct map read-only, pages +7 +1\n/,
    );
    await shows("pagetrail state 'c20@#loaded'", /r-- /);
    await shows('pagetrail audit c21-large', /I3 error: a read-only page was handed back/);
    await shows('pagetrail matrix larger-than-a-pack --kernels 5.18-rc3', /splits of code pages +1\n/);
    await shows('pagetrail events c23 --kind filled', /cccccccc/i);
  });
});
