/** Claims about how packs keep code and the direct map together: C14, C15, C24, C25. */
import type { EmulationRun } from '../emulation.js';
import { plural } from '../numbers.js';
import { directSplits, markerOf, memoryAt, readOnlyDirect } from './looking.js';
import type { Claim, Seen } from './claim.js';

export const splitsSeen = (kernel: string, count: number, holds: boolean): Seen => ({
  what: `${kernel}: ${plural(count, 'split')} of the direct map`,
  holds,
});

const fragments = (kernel: string, run: EmulationRun): string =>
  `${kernel}: ${plural(run.figures.areas.most, 'area')} at once, ${plural(run.figures.permission_calls, 'permission call')}, ${plural(run.figures.itlb_entries, 'iTLB entry', 'iTLB entries')}`;

/** Cuts in the direct map. */
const cuts = ({ figures }: EmulationRun): string =>
  `${plural(figures.splits.direct_map, 'split')} of the direct map`;

export const FRAGMENT_CLAIMS: readonly Claim[] = [
  {
    id: 'C14',
    claim: 'prog_pack works with small pages but was not designed for them',
    who: 'Linus Torvalds',
    when: '27 April 2022, CAHk-=wgA1Uku=ejwknv11ssNhz2pswhD=mJFBPEMQtCspz0YEQ@mail.gmail.com',
    verdict: 'confirmed',
    because:
      'a pack is then one page of 64 chunks: still one pair of permission calls a pack instead of one a program',
    look: (lab) => {
      const expected = { '5.17': [40, 80], '5.18-rc5': [5, 10], '6.1': [1, 2] } as const;
      const seen = Object.entries(expected).map(([kernel, [areas, calls]]): Seen => {
        const run = lab.run({ kernel, workload: 'forty-programs' });
        return {
          what: fragments(kernel, run),
          holds: run.figures.areas.most === areas && run.figures.permission_calls === calls,
        };
      });
      return {
        ran: '40 programs of 448 bytes',
        seen,
        commands: ['pagetrail matrix forty-programs --kernels 5.17,5.18-rc5,6.1'],
      };
    },
  },
  {
    id: 'C15',
    claim:
      'packs of small pages still fragment the direct map less: the seven programs of runqslower share one page',
    who: 'Song Liu',
    when: '28 April 2022, 57DBEBDB-71AF-4A85-AB8D-8274541E0F3C@fb.com',
    verdict: 'confirmed',
    because: 'seven pages are read-only in the direct map without packs, one with them',
    look: (lab) => {
      const of = (kernel: string): number => {
        const run = lab.run({ kernel, workload: 'seven-programs' });
        return readOnlyDirect(memoryAt(run, markerOf(run, 'loaded'))).length;
      };
      const [before, after] = [of('5.17'), of('5.18-rc5')];
      return {
        ran: 'seven programs of the sizes of runqslower',
        seen: [
          { what: `without packs (5.17): ${before} pages read-only in the direct map`, holds: before === 7 },
          { what: `5.18-rc5: ${after}`, holds: after === 1 },
        ],
        commands: ['pagetrail matrix seven-programs --kernels 5.17,5.18-rc5'],
      };
    },
  },
  {
    id: 'C24',
    claim: 'the benefit may be less fragmentation more than fewer iTLB misses; 2M of 4K pages help too',
    who: 'Rick Edgecombe',
    when: '17 to 19 May 2022',
    verdict: 'confirmed',
    because:
      'one 2M leaf needs one iTLB entry and 512 small pages need 50 for the same code, and both take two permission calls where 5.17 takes 400. How often the direct map is split ' +
      'depends on where the frames lie, here in few regions of 2M. Song Liu measured no difference in throughput between the two (20220624215712.3050672-1-song@kernel.org)',
    look: (lab) => {
      const huge = lab.run({ kernel: '5.18-rc3', workload: 'two-hundred-programs' });
      const small = lab.run({ kernel: '6.1', workload: 'two-hundred-programs' });
      const none = lab.run({ kernel: '5.17', workload: 'two-hundred-programs' });
      return {
        ran: '200 programs of 1 KiB: on a 2M leaf, in 512 small pages, and without packs',
        seen: [
          {
            what: `${fragments('one 2M leaf (5.18-rc3)', huge)}, ${cuts(huge)}`,
            holds: huge.figures.itlb_entries === 1 && huge.figures.permission_calls === 2,
          },
          {
            what: `${fragments('512 small pages (6.1)', small)}, ${cuts(small)}`,
            holds: small.figures.itlb_entries === 50 && small.figures.permission_calls === 2,
          },
          {
            what: `${fragments('no packs (5.17)', none)}, ${cuts(none)}`,
            holds: none.figures.itlb_entries === 200 && none.figures.permission_calls === 400,
          },
        ],
        commands: ['pagetrail matrix two-hundred-programs --kernels 5.17,5.18-rc3,6.1'],
      };
    },
  },
  {
    id: 'C25',
    claim: 'how much does fragmentation itself cost?',
    who: 'Aaron Lu',
    when: 'June 2022',
    verdict: 'open',
    because: 'how often the direct map is split can be counted; what that costs a machine cannot be emulated',
    look: (lab) => {
      const seen = ['5.17', '5.18-rc3', '6.1', '7.2'].map((kernel): Seen => {
        const run = lab.run({ kernel, workload: 'two-hundred-programs' });
        const count = directSplits(run);
        return splitsSeen(kernel, count, count > 0);
      });
      return {
        ran: '200 programs, loaded and freed',
        seen,
        commands: ['pagetrail matrix two-hundred-programs --kernels 5.17,5.18-rc3,6.1,7.2'],
      };
    },
  },
];
