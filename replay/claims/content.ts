/** Claims about what lies in executable memory: C1–C6, C8, C9, C23. */
import { BLOCK, ContentClass, PageContent } from '../../core/memory/content.js';
import { Memory } from '../../core/memory/memory.js';
import { Prot } from '../../core/value/prot.js';
import { Address, PAGE_SIZE } from '../../core/value/address.js';
import type { EmulationRun } from '../emulation.js';
import { bytesText, grouped } from '../numbers.js';
import { broken, callersOf, markerOf, memoryAt, pagesWith } from './looking.js';
import type { Claim, Seen } from './claim.js';

const never = (kernel: string, { figures }: EmulationRun, expected: (bytes: number) => boolean): Seen => ({
  what: `${kernel}: ${grouped(figures.never_written)} executable bytes hold what lay in the memory before`,
  holds: expected(figures.never_written),
});

const some = (bytes: number): boolean => bytes > 0;
const none = (bytes: number): boolean => bytes === 0;

/** Order of what happens to the first pack: area, fill, read-only, executable. */
const orderOfFirstPack = (run: EmulationRun): readonly string[] => {
  const { events } = run;
  const order: string[] = [];
  let area = -1;
  for (const event of events) {
    if (event.kind === 'area-allocated' && callersOf(run, event).includes('alloc_new_pack')) {
      area = event.start;
      order.push('area');
    } else if (area >= 0 && event.kind === 'filled' && event.to.page === area) order.push('fill');
    else if (area >= 0 && event.kind === 'permission' && event.space === 0 && event.page === area)
      order.push(event.set & Prot.executable ? 'executable' : 'read-only');
    if (event.kind === 'chunk-allocated') break;
  }
  return order;
};

/** Bytes of a pack outside every image, and of image padding, in executable pages. */
const outside = (memory: Memory): { readonly chunks: number; readonly rest: number } => {
  let chunks = 0;
  for (const program of Memory.programs(memory)) chunks += program.bytes;
  return { chunks, rest: pagesWith(memory, Prot.executable).length * PAGE_SIZE - chunks };
};

export const CONTENT_CLAIMS: readonly Claim[] = [
  {
    id: 'C1',
    claim:
      'memory of module_alloc is made executable without being initialised: random kernel data is executable',
    who: 'Linus Torvalds',
    when: '16 April 2022, CAHk-=wiMCndbBvGSmRVvsuHFWC6BArv-OEG2Lcasih=B=7bFNQ',
    verdict: 'confirmed',
    because:
      'new packs were filled from 5.18.2 and 5.19 on only; before, all of a pack but its images is leftover and executable',
    look: (lab) => {
      const rc3 = lab.run({ kernel: '5.18-rc3', workload: 'leftover-dirty' });
      const rc5 = lab.run({ kernel: '5.18-rc5', workload: 'leftover-dirty' });
      const series = lab.run({ kernel: '5.18-rc5-packv2', workload: 'leftover-dirty' });
      return {
        ran: 'twenty programs on memory that a user had filled, on 5.18 before and after huge pages were dropped, and with the series',
        seen: [
          never('5.18-rc3', rc3, some),
          never('5.18-rc5', rc5, some),
          never('5.18-rc5 with the series', series, none),
          { what: `5.18-rc3: rule I1 is broken (${broken(rc3, 'I1')})`, holds: broken(rc3, 'I1') > 0 },
        ],
        commands: ['pagetrail matrix leftover-dirty --kernels 5.18-rc3,5.18-rc5,5.18-rc5-packv2'],
      };
    },
  },
  {
    id: 'C2',
    claim:
      'filling belongs where the area is allocated, with the fill that the JIT has already; nothing new is needed',
    who: 'Linus Torvalds',
    when: '21 April 2022',
    verdict: 'confirmed',
    because:
      'the series fills the whole area while it is still writable and not executable (it became patch 1/3), and nothing is left',
    look: (lab) => {
      const series = lab.run({ kernel: '5.18-rc3-packv2', workload: 'one-program' });
      const order = orderOfFirstPack(series);
      return {
        ran: 'one program on 5.18-rc3 with the series',
        seen: [
          {
            what: `order in a new pack: ${order.join(', ')}`,
            holds: order.join(' ') === 'area fill read-only executable',
          },
          never('5.18-rc3 with the series', series, none),
        ],
        commands: [
          'pagetrail simulate one-program --kernel 5.18-rc3-packv2 --name c2',
          "pagetrail events c2 --to '#loaded' --kind area-allocated,filled,permission,pack-created",
          'pagetrail matrix one-program --kernels 5.18-rc3-packv2',
        ],
      };
    },
  },
  {
    id: 'C3',
    claim: 'zero would do, and each program has random traps before and behind it anyway',
    who: 'Alexei Starovoitov',
    when: '21 April 2022',
    verdict: 'refuted',
    because:
      'the random padding lies inside the chunks of images; nearly all of a new pack is in no chunk at all. Zero is no trap on x86 either: 00 00 is an instruction',
    look: (lab) => {
      const run = lab.run({ kernel: '5.18-rc3', workload: 'one-program' });
      const { chunks, rest } = outside(memoryAt(run, markerOf(run, 'loaded')));
      return {
        ran: 'one program on 5.18-rc3',
        seen: [
          {
            what: `${grouped(chunks)} executable bytes are in the chunks of the image, padding included; ${grouped(rest)} are in none`,
            holds: rest > 1000 * chunks,
          },
          never('5.18-rc3', run, (bytes) => bytes === rest),
        ],
        commands: ['pagetrail matrix one-program --kernels 5.18-rc3'],
      };
    },
  },
  {
    id: 'C4',
    claim: 'the end of an image holds the exception table, so data is executable',
    who: 'Linus Torvalds',
    when: '21 April 2022',
    verdict: 'confirmed',
    because:
      'what lies behind the code in an image is in the same read-only, executable chunk; no kernel changed that',
    look: (lab) => {
      const kernels = ['5.17', '5.18-rc5', '6.1', '7.2'];
      const seen = kernels.map((kernel): Seen => {
        const run = lab.run({ kernel, workload: 'one-program' });
        const memory = memoryAt(run, markerOf(run, 'loaded'));
        const [program] = [...Memory.programs(memory)];
        const start = program?.start;
        if (program === undefined || start === undefined || start === null || program.length === null)
          return { what: `${kernel}: no program`, holds: false };
        const behind = program.proglen - program.length;
        const table = Address.add(start, program.length);
        const page = Memory.page(memory, table.page);
        const content = Memory.contentOf(memory, page?.frame ?? -1);
        const block = Math.floor(table.offset / BLOCK);
        const ofImage =
          content !== null &&
          PageContent.classAt(content, block) === ContentClass.program &&
          PageContent.refAt(content, block) === program.number;
        return {
          what: `${kernel}: ${behind} bytes behind the code, ${ofImage ? 'written with the image' : 'not of the image'}, mapped ${Prot.toText(page?.prot ?? 0)}`,
          holds: behind > 0 && ofImage && page !== null && Prot.toText(page.prot) === 'r-x',
        };
      });
      return {
        ran: 'one program of 400 bytes of code in an image of 424, as one with two table entries has',
        seen,
        commands: ['pagetrail simulate one-program --kernel 7.2 --name c4', "pagetrail state 'c4@#loaded'"],
      };
    },
  },
  {
    id: 'C5',
    claim: 'code of freed programs stays, executable and known to branch predictors: fill on free too',
    who: 'Linus Torvalds',
    when: '21 April 2022',
    verdict: 'confirmed',
    because:
      '5.18 clears a bit in the bitmap and nothing else; 5.19 fills with traps. Predictors are not in the model (7.1 flushes them)',
    look: (lab) => {
      const of = (kernel: string): number => lab.run({ kernel, workload: 'two-programs' }).figures.of_freed;
      const [rc5, series, v61] = [of('5.18-rc5'), of('5.18-rc5-packv2'), of('6.1')];
      return {
        ran: 'two programs, the first is freed while the second lives',
        seen: [
          { what: `5.18-rc5: ${grouped(rc5)} executable bytes of the freed program`, holds: rc5 > 0 },
          { what: `5.18-rc5 with the series: ${grouped(series)}`, holds: series === 0 },
          { what: `6.1: ${grouped(v61)}`, holds: v61 === 0 },
        ],
        commands: ['pagetrail matrix two-programs --kernels 5.18-rc5,5.18-rc5-packv2,6.1'],
      };
    },
  },
  {
    id: 'C6',
    claim: 'at free the page is read-only and executable, so it cannot be filled by memset',
    who: 'Song Liu',
    when: '21 April 2022',
    verdict: 'confirmed',
    because:
      'no mapping of the page is writable when the program is freed; only the poking mapping or a changed permission could write',
    look: (lab) => {
      const run = lab.run({ kernel: '5.18-rc5', workload: 'two-programs' });
      const memory = memoryAt(run, markerOf(run, 'loaded'));
      const pages = pagesWith(memory, Prot.executable);
      const writable = pages.filter((page) => Prot.has(Memory.page(memory, page)?.prot ?? 0, Prot.writable));
      return {
        ran: 'two programs on 5.18-rc5, before the first is freed',
        seen: [
          {
            what: `${pages.length} executable page, ${writable.length} of them writable`,
            holds: pages.length > 0 && writable.length === 0,
          },
        ],
        commands: [
          'pagetrail simulate two-programs --kernel 5.18-rc5 --name c6',
          "pagetrail state 'c6@#loaded'",
        ],
      };
    },
  },
  {
    id: 'C8',
    claim:
      'a hole shares its page with live code, so no writable mapping may exist: use __text_poke; a fill needs no read-back',
    who: 'Peter Zijlstra',
    when: '22 April 2022, 20220422073118.GR2731@worktop',
    verdict: 'confirmed',
    because:
      'the fill at free comes through __text_poke, in a page with live code, and no page is ever writable and executable',
    look: (lab) => {
      const run = lab.run({ kernel: '5.18-rc5-packv2', workload: 'two-programs' });
      const freed = markerOf(run, 'freed1');
      const fills = run.events.filter(
        (event) => event.kind === 'filled' && event.way === 'poke' && event.seq < freed,
      );
      const memory = memoryAt(run, freed);
      const shared = fills.some(
        (event) =>
          event.kind === 'filled' &&
          [...Memory.programs(memory)].some(({ chunk }) => chunk.page === event.to.page),
      );
      return {
        ran: 'two programs in one page on 5.18-rc5 with the series, the first is freed',
        seen: [
          { what: `${fills.length} fill through __text_poke`, holds: fills.length > 0 },
          {
            what: shared ? 'its page holds the live program' : 'its page holds no live program',
            holds: shared,
          },
          {
            what: `${run.figures.writable_executable.pages} pages writable and executable at any moment, ${run.figures.direct_map.writable} through the direct map`,
            holds: run.figures.writable_executable.pages === 0 && broken(run, 'I2') === 0,
          },
        ],
        commands: [
          'pagetrail matrix two-programs --kernels 5.18-rc5-packv2',
          'pagetrail simulate two-programs --kernel 5.18-rc5-packv2 --name c8',
          'pagetrail events c8 --kind filled,copied,program-freed',
          'pagetrail audit c8',
        ],
      };
    },
  },
  {
    id: 'C9',
    claim: 'with huge pages disabled in 5.18 the fixes are not needed',
    who: 'Luis Chamberlain',
    when: 'April 2022',
    verdict: 'refuted',
    because:
      'packs of one 4K page are as little initialised, and as little erased, as large ones (what is gone is the large leaf in the direct map)',
    look: (lab) => {
      const run = lab.run({ kernel: '5.18-rc5', workload: 'two-programs' });
      return {
        ran: 'two programs on 5.18-rc5 (no huge pages)',
        seen: [
          never('5.18-rc5', run, some),
          {
            what: `${bytesText(run.figures.of_freed)} of freed code stay executable`,
            holds: run.figures.of_freed > 0,
          },
        ],
        commands: ['pagetrail matrix two-programs --kernels 5.18-rc5'],
      };
    },
  },
  {
    id: 'C23',
    claim: '0xcc is a valid instruction (int3), not an illegal one',
    who: 'Peter Zijlstra',
    when: '18 May 2022, 20220518170934.GG10117',
    verdict: 'confirmed',
    because:
      'what free room is filled with on x86 is a trap that executes, which is why pagetrail calls that content `trap`',
    look: (lab) => {
      const run = lab.run({ kernel: '6.1', workload: 'one-program' });
      const memory = memoryAt(run, markerOf(run, 'loaded'));
      const words = new Set<number>();
      for (const page of pagesWith(memory, Prot.executable)) {
        const content = Memory.contentOf(memory, Memory.page(memory, page)?.frame ?? -1);
        if (content === null) continue;
        for (let block = 0; block < PAGE_SIZE / 64; block++)
          if (PageContent.classAt(content, block) === ContentClass.trap)
            words.add(PageContent.refAt(content, block) >>> 0);
      }
      const text = [...words].map((word) => `0x${word.toString(16)}`).join(', ');
      return {
        ran: 'one program on 6.1',
        seen: [{ what: `free room of the pack is filled with ${text}`, holds: text === '0xcccccccc' }],
        commands: [
          'pagetrail simulate one-program --kernel 6.1 --name c23',
          'pagetrail events c23 --kind filled',
          "pagetrail state 'c23@#loaded'",
        ],
      };
    },
  },
];
