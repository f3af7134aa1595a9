/** Claims about huge pages, the direct map and what frees do to it: C7, C12, C20–C22, C28. */
import { Memory } from '../../core/memory/memory.js';
import { Space } from '../../core/event/pages.js';
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
  pagesAsked,
  pagesWith,
  readOnlyDirect,
  resultsOf,
} from './looking.js';
import { splitsSeen } from './fragments.js';
import type { Claim, Seen } from './claim.js';

const HUGE = 512;

/** Page tables that splits asked for. */
const tablesAsked = ({ events }: EmulationRun): number =>
  events.filter((event) => event.kind === 'chosen' && event.what === 'pageTable').length;

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
          "pagetrail state 'c7@#loaded'",
          'pagetrail matrix one-program --kernels 5.18-rc3,6.1,7.2',
          'pagetrail matrix one-program --kernels 6.12 --arches ppc64le',
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
          "pagetrail events c12 --from '#loaded' --kind returned,split",
          'pagetrail state c12',
          "pagetrail simulate one-program --kernel 5.18-rc3 --fail 'alloc_pages:*=-ENOMEM' --name c12-fails",
          'pagetrail state c12-fails',
          'pagetrail audit c12-fails',
        ],
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
          "pagetrail state 'c20@#loaded'",
          "pagetrail diff 'c20@#loaded' c20",
          "pagetrail events c20 --from '#loaded' --kind entered,split",
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
    because:
      'over a whole large page nothing is split, so nothing can fail; 5.18-rc5-packv2-huge does that for packs (of an area that ends within a page it forgets the last one)',
    look: (lab) => {
      const run = lab.run({ kernel: '5.18-rc5-packv2-huge', workload: 'one-program' });
      const whole = pagesAsked(run, 'set_memory_nx') === HUGE && pagesAsked(run, 'set_memory_rw') === HUGE;
      const leaf = Object.keys(run.figures.pages).join(' ');
      const tables = tablesAsked(run);
      const before = tablesAsked(lab.run({ kernel: '5.18-rc3', workload: 'one-program' }));
      const large = lab.run({ kernel: '5.18-rc5-packv2-huge', workload: 'larger-than-a-pack' });
      const late = readOnlyDirect(large.memory).length;
      const splits = directSplits(run) + run.figures.splits.primary;
      const left = readOnlyDirect(run.memory).length;
      return {
        ran: 'one program, and one larger than a pack, on 5.18-rc5-packv2-huge (module_alloc_huge, never merged)',
        seen: [
          {
            what: `free: set_memory_nx and set_memory_rw of ${whole ? 'all 512 pages, on one 2M leaf' : 'not the whole leaf'}`,
            holds: whole && leaf === String(2 ** 21),
          },
          splitsSeen('load and free', splits, splits === 0),
          {
            what: `${plural(tables, 'page table')} asked for, so none can be missing; ${before} on 5.18-rc3`,
            holds: tables === 0 && before > 0,
          },
          { what: `${left} pages read-only in the direct map afterwards`, holds: left === 0 },
          {
            what: `${plural(late, 'page')} read-only after a program larger than a pack: its size is divided down at the free`,
            holds: late === 1,
          },
        ],
        commands: [
          'pagetrail matrix one-program --kernels 5.18-rc3,5.18-rc5-packv2-huge',
          'pagetrail simulate one-program --kernel 5.18-rc5-packv2-huge --name c21',
          "pagetrail events c21 --from '#loaded' --kind entered,permission",
          'pagetrail simulate larger-than-a-pack --kernel 5.18-rc5-packv2-huge --name c21-large',
          'pagetrail audit c21-large',
        ],
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
      'a program larger than a pack covers its last 2M leaf in part: the leaf is split at load, and where that fails the program is published all the same. From 6.10 on BPF checks',
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
      const checking = lab.run({
        kernel: '6.12',
        workload: 'larger-than-a-pack',
        fail: ['set_memory_rox:2=-ENOMEM'],
      });
      const looked = checking.events.filter(({ kind }) => kind === 'published').length;
      return {
        ran: 'a small program and one of 2.5 MB on 5.18-rc3; the same where no page table can be had, and on 6.12 where the call fails',
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
          {
            what: `6.12, whose set_memory_rox fails: ${plural(looked, 'symbol')}, rule I7 ${broken(checking, 'I7') === 0 ? 'holds' : 'is broken'}`,
            holds: looked === 1 && broken(checking, 'I7') === 0,
          },
        ],
        commands: [
          'pagetrail matrix larger-than-a-pack --kernels 5.18-rc3',
          "pagetrail simulate larger-than-a-pack --kernel 5.18-rc3 --fail 'alloc_pages:*=-ENOMEM' --name c22",
          'pagetrail audit c22',
          'pagetrail simulate larger-than-a-pack --kernel 6.12 --fail set_memory_rox:2=-ENOMEM --name c22-checked',
          'pagetrail audit c22-checked',
        ],
      };
    },
  },
  {
    id: 'C28',
    claim: 'text and data must not share a 2M page, and the direct map is never executable',
    who: 'Thomas Gleixner, Peter Zijlstra',
    when: '1 December 2022',
    verdict: 'confirmed',
    because:
      'no page, small or large, is ever writable and executable through either mapping, and nothing makes the direct map executable on x86-64',
    look: (lab) => {
      const seen = ['5.18-rc3', '6.1', '6.12', '7.2'].map((kernel): Seen => {
        const run = lab.run({ kernel, workload: 'two-hundred-programs' });
        const { executable, writable } = run.figures.direct_map;
        const both = run.figures.writable_executable.pages + writable;
        const changes = run.events.filter(
          (event) =>
            event.kind === 'permission' &&
            event.space === Space.direct &&
            Prot.has(event.set | event.clear, Prot.executable),
        ).length;
        return {
          what: `${kernel}: ${executable} executable aliases, ${both} pages writable and executable at any moment, NX of the direct map changed ${changes} times`,
          holds:
            executable === 0 &&
            both === 0 &&
            changes === 0 &&
            broken(run, 'I2') === 0 &&
            broken(run, 'I14') === 0,
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
