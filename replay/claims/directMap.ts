/** Claims about huge pages, the direct map and what frees do to it: C7, C12, C14, C15, C20–C22, C24, C25, C28. */
import { Memory } from '../../core/memory/memory.js';
import { Prot } from '../../core/value/prot.js';
import type { EmulationRun } from '../emulation.js';
import { grouped, plural } from '../numbers.js';
import {
  aliasesOf,
  broken,
  callsOf,
  directSplits,
  markerOf,
  memoryAt,
  pagesWith,
  readOnlyDirect,
  resultsOf,
} from './looking.js';
import type { Claim, Seen } from './claim.js';

const splitsSeen = (kernel: string, count: number, holds: boolean): Seen => ({
  what: `${kernel}: ${plural(count, 'split')} of the direct map`,
  holds,
});

const fragments = (kernel: string, run: EmulationRun): string =>
  `${kernel}: ${plural(run.figures.areas.most, 'area')} at once, ${plural(run.figures.permission_calls, 'permission call')}, ${plural(run.figures.itlb_entries, 'iTLB entry', 'iTLB entries')}`;

const leafText = (shifts: readonly number[]): string => {
  const sizes = [...new Set(shifts)].map((shift) =>
    shift >= 20 ? `${2 ** (shift - 20)}M` : `${2 ** (shift - 10)}K`,
  );
  return sizes.join(', ');
};

export const DIRECT_MAP_CLAIMS: readonly Claim[] = [
  {
    id: 'C7',
    claim: 'write through the direct-map alias of the page',
    who: 'Linus Torvalds',
    when: '21 April 2022',
    verdict: 'refuted',
    because: 'set_memory_ro of x86 makes the alias read-only as well, so a plain write there faults',
    look: (lab) => {
      const seen = ['5.18-rc3', '5.18-rc5', '6.1', '7.2'].map((kernel): Seen => {
        const run = lab.run({ kernel, workload: 'one-program' });
        const memory = memoryAt(run, markerOf(run, 'loaded'));
        const aliases = aliasesOf(memory, pagesWith(memory, Prot.executable));
        const writable = aliases.filter(({ prot }) => Prot.has(prot, Prot.writable)).length;
        return {
          what: `${kernel}: ${plural(aliases.length, 'alias', 'aliases')} of executable pages, ${writable} writable`,
          holds: aliases.length > 0 && writable === 0,
        };
      });
      const other = lab.run({ kernel: '6.12', arch: 'ppc64le', workload: 'one-program' });
      const memory = memoryAt(other, markerOf(other, 'loaded'));
      const frames = pagesWith(memory, Prot.executable).map((page) => Memory.page(memory, page)?.frame ?? -1);
      const changed = frames.filter(
        (frame) => !Prot.has(Memory.alias(memory, frame)?.prot ?? Prot.kernel, Prot.writable),
      ).length;
      return {
        ran: 'one program on four kernels of x86-64, and on powerpc',
        seen: [
          ...seen,
          {
            what: `powerpc 6.12: ${plural(frames.length, 'executable page')}, ${changed} of them read-only in the direct map: there it would work`,
            holds: frames.length > 0 && changed === 0,
          },
        ],
        commands: [
          'pagetrail simulate one-program --kernel 5.18-rc5 --name c7',
          'pagetrail state c7@#loaded',
        ],
      };
    },
  },
  {
    id: 'C12',
    claim: 'set_vm_flush_reset_perms() does not work with huge pages',
    who: 'Song Liu (cover letter), quoted by Linus Torvalds',
    when: '25 and 27 April 2022, 20220425203947.3311308-1-song@kernel.org',
    verdict: 'both',
    because:
      'refuted as to permissions: all calls succeed and the memory comes back writable. Confirmed as to cost and risk: each free splits the direct map for ever, ' +
      'and an allocation in the free path whose failure nobody looks at leaves pages read-only',
    look: (lab) => {
      const run = lab.run({ kernel: '5.18-rc3', workload: 'one-program' });
      const loaded = markerOf(run, 'loaded');
      const resets = [
        ...resultsOf(run, 'set_direct_map_invalid_noflush'),
        ...resultsOf(run, 'set_direct_map_default_noflush'),
      ];
      const good = resets.filter((result) => result === 0).length;
      const left = readOnlyDirect(run.memory).length;
      const failing = lab.run({
        kernel: '5.18-rc3',
        workload: 'one-program',
        fail: ['alloc_pages:*=-ENOMEM'],
      });
      const bad = readOnlyDirect(failing.memory).length;
      return {
        ran: 'one program on 5.18-rc3; the same where no page table can be had',
        seen: [
          { what: `${good} of ${resets.length} calls for direct-map pages return 0`, holds: good === 1024 },
          { what: `${left} pages read-only in the direct map afterwards`, holds: left === 0 },
          splitsSeen('at the free', directSplits(run, loaded), directSplits(run, loaded) === 1),
          {
            what: `without page tables ${grouped(bad)} pages go back read-only, and rule I3 is broken (${broken(failing, 'I3')})`,
            holds: bad > 0 && broken(failing, 'I3') > 0,
          },
        ],
        commands: [
          'pagetrail simulate one-program --kernel 5.18-rc3 --name c12',
          "pagetrail simulate one-program --kernel 5.18-rc3 --fail 'alloc_pages:*=-ENOMEM' --name c12-fails",
          'pagetrail audit c12-fails',
        ],
      };
    },
  },
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
    id: 'C20',
    claim:
      'CPA keeps the direct-map alias at the page size of the mapping; vmalloc resets page by page and assumes small pages there',
    who: 'Rick Edgecombe',
    when: '26 March 2022',
    verdict: 'confirmed',
    because:
      'the alias of a 2M pack is one 2M leaf while it is used; the reset at its free goes through 512 small pages and must split it',
    look: (lab) => {
      const run = lab.run({ kernel: '5.18-rc3', workload: 'one-program' });
      const loaded = markerOf(run, 'loaded');
      const memory = memoryAt(run, loaded);
      const leaves = leafText(
        aliasesOf(memory, pagesWith(memory, Prot.executable)).map(({ shift }) => shift),
      );
      const resets = callsOf(run, 'set_direct_map_invalid_noflush').length;
      return {
        ran: 'one program on 5.18-rc3',
        seen: [
          { what: `loaded: alias on ${leaves} leaves`, holds: leaves === '2M' },
          splitsSeen('loading', directSplits(run, 0, loaded), directSplits(run, 0, loaded) === 0),
          { what: `free: ${resets} resets of one page each`, holds: resets === 512 },
          splitsSeen('free', directSplits(run, loaded), directSplits(run, loaded) === 1),
        ],
        commands: [
          'pagetrail simulate one-program --kernel 5.18-rc3 --name c20',
          'pagetrail diff c20@#loaded c20',
        ],
      };
    },
  },
  {
    id: 'C21',
    claim: 'without the flag, set_memory_nx and set_memory_rw on the whole area before vfree avoid it',
    who: 'Rick Edgecombe',
    when: '31 March 2022',
    verdict: 'confirmed',
    because: 'over a whole large page nothing is split, so nothing can fail; 5.18-rc5-packv2-huge does that',
    look: (lab) => {
      const run = lab.run({ kernel: '5.18-rc5-packv2-huge', workload: 'one-program' });
      const splits = directSplits(run) + run.figures.splits.primary;
      const left = readOnlyDirect(run.memory).length;
      return {
        ran: 'one program on 5.18-rc5-packv2-huge (module_alloc_huge, never merged)',
        seen: [
          splitsSeen('load and free', splits, splits === 0),
          { what: `${left} pages read-only in the direct map afterwards`, holds: left === 0 },
        ],
        commands: ['pagetrail matrix one-program --kernels 5.18-rc3,5.18-rc5-packv2-huge'],
      };
    },
  },
  {
    id: 'C22',
    claim: 'set_memory_x on a part of a huge mapping may now split and so fail, and callers do not check',
    who: 'Rick Edgecombe',
    when: '26 March 2022',
    verdict: 'confirmed',
    because:
      'a program larger than a pack covers its last 2M leaf in part: the leaf is split at load, and where that fails the program is published all the same',
    look: (lab) => {
      const run = lab.run({ kernel: '5.18-rc3', workload: 'larger-than-a-pack' });
      const failing = lab.run({
        kernel: '5.18-rc3',
        workload: 'larger-than-a-pack',
        fail: ['alloc_pages:*=-ENOMEM'],
      });
      const errors = [...resultsOf(failing, 'set_memory_ro'), ...resultsOf(failing, 'set_memory_x')].filter(
        (result) => result !== null && result < 0,
      ).length;
      const published = failing.events.filter(({ kind }) => kind === 'published').length;
      return {
        ran: 'a program of 2.5 MB on 5.18-rc3; the same where no page table can be had',
        seen: [
          {
            what: `${run.figures.splits.primary} split of a code page at load`,
            holds: run.figures.splits.primary > 0,
          },
          { what: `without page tables ${errors} permission calls fail`, holds: errors > 0 },
          {
            what: `${published} symbols are published, and rule I7 is broken (${broken(failing, 'I7')})`,
            holds: published === 2 && broken(failing, 'I7') > 0,
          },
        ],
        commands: [
          "pagetrail simulate larger-than-a-pack --kernel 5.18-rc3 --fail 'alloc_pages:*=-ENOMEM' --name c22",
          'pagetrail audit c22',
        ],
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
      'one 2M leaf needs one iTLB entry and 512 small pages need 50 for the same code, while both make the same few cuts in the direct map; Song Liu measured no difference ' +
      'in throughput between them (20220624215712.3050672-1-song@kernel.org)',
    look: (lab) => {
      const huge = lab.run({ kernel: '5.18-rc3', workload: 'two-hundred-programs' });
      const small = lab.run({ kernel: '6.1', workload: 'two-hundred-programs' });
      const none = lab.run({ kernel: '5.17', workload: 'two-hundred-programs' });
      return {
        ran: '200 programs of 1 KiB: on a 2M leaf, in 512 small pages, and without packs',
        seen: [
          { what: fragments('one 2M leaf (5.18-rc3)', huge), holds: huge.figures.itlb_entries === 1 },
          { what: fragments('512 small pages (6.1)', small), holds: small.figures.itlb_entries === 50 },
          { what: fragments('no packs (5.17)', none), holds: none.figures.itlb_entries === 200 },
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
  {
    id: 'C28',
    claim: 'text and data must not share a 2M page, and the direct map is never executable',
    who: 'Thomas Gleixner, Peter Zijlstra',
    when: '1 December 2022',
    verdict: 'confirmed',
    because: 'no large leaf is ever writable and executable, and no alias of code is executable on x86-64',
    look: (lab) => {
      const seen = ['5.18-rc3', '6.1', '6.12', '7.2'].map((kernel): Seen => {
        const run = lab.run({ kernel, workload: 'two-hundred-programs' });
        const memory = memoryAt(run, markerOf(run, 'loaded'));
        let executable = 0;
        for (const page of pagesWith(memory, Prot.executable)) {
          const frame = Memory.page(memory, page)?.frame ?? -1;
          const alias = Memory.alias(memory, frame);
          if (alias !== null && Prot.has(alias.prot, Prot.executable)) executable++;
        }
        const both = run.figures.writable_executable.pages;
        return {
          what: `${kernel}: ${executable} executable aliases, ${both} pages writable and executable at any moment`,
          holds: executable === 0 && both === 0,
        };
      });
      return {
        ran: '200 programs on kernels with large leaves and without',
        seen,
        commands: ['pagetrail matrix two-hundred-programs --kernels 5.18-rc3,6.1,6.12,7.2'],
      };
    },
  },
];
