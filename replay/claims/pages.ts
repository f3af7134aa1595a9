/** Claims about the pages behind huge vmalloc areas: C17, C18. */
import { backingOf, pageReferences } from '../../core/kernel/pageReferences.js';
import type { EmulationRun } from '../emulation.js';
import { memoryAt, markerOf, pagesWith } from './looking.js';
import { Memory } from '../../core/memory/memory.js';
import { Prot } from '../../core/value/prot.js';
import type { Claim, Lab } from './claim.js';

const HUGE_ORDER = 9;
const PAGES = 2 ** HUGE_ORDER;

const leafOf = (run: EmulationRun): number => {
  const memory = memoryAt(run, markerOf(run, 'loaded'));
  const [page] = pagesWith(memory, Prot.executable);
  return page === undefined ? 0 : (Memory.page(memory, page)?.shift ?? 0);
};

/** Pages of a 2M block that stay in use when its area is freed while a driver holds one of them. */
const keptByOne = (lab: Lab, kernel: string): { readonly kept: number; readonly given: number } => {
  const pages = pageReferences(backingOf(lab.profile(kernel)), PAGES, HUGE_ORDER);
  pages.get(5);
  const given = pages.free();
  return { kept: pages.held(), given };
};

export const PAGE_CLAIMS: readonly Claim[] = [
  {
    id: 'C17',
    claim:
      'huge vmalloc as opt-out was wrong: callers use the struct pages of the area, and take references to tail pages',
    who: 'Linus Torvalds',
    when: '20 and 21 April 2022',
    verdict: 'confirmed',
    because:
      'the pages of a compound page share one count: who holds a tail page keeps 2 MiB, and a count that is given back twice is the head\'s ("Bad page state")',
    look: (lab) => {
      const rc3 = leafOf(lab.run({ kernel: '5.18-rc3', workload: 'one-program' }));
      const rc5 = leafOf(lab.run({ kernel: '5.18-rc5', workload: 'one-program' }));
      const before = keptByOne(lab, '5.18-rc3');
      const after = keptByOne(lab, '5.18-rc5');
      return {
        ran: 'one program on 5.18-rc3 and 5.18-rc5; a 2 MiB block of which somebody holds the sixth page while it is freed',
        seen: [
          {
            what: `5.18-rc3 maps an area of nobody's asking with leaves of ${2 ** rc3 / 1024} KiB, 5.18-rc5 of ${2 ** rc5 / 1024} KiB`,
            holds: rc3 === 21 && rc5 === 12,
          },
          {
            what: `5.18-rc3 (compound): one reference keeps ${before.kept} pages`,
            holds: before.kept === PAGES,
          },
          { what: `5.18-rc5 (split): one reference keeps ${after.kept} page`, holds: after.kept === 1 },
        ],
        commands: ['pagetrail matrix one-program --kernels 5.18-rc3,5.18-rc5', 'pagetrail claims C17'],
      };
    },
  },
  {
    id: 'C18',
    claim: 'to free as one block of order N after a split looks wrong',
    who: 'Linus Torvalds',
    when: '21 April 2022',
    verdict: 'confirmed',
    because:
      'it would be: one block of 512 pages would take the held one with it. Since 3b8000ae185c (5.18-rc4) vfree gives back page by page',
    look: (lab) => {
      const after = keptByOne(lab, '5.18-rc5');
      return {
        ran: 'a split 2 MiB block of which somebody holds one page while its area is freed',
        seen: [
          {
            what: `${after.given} pages are given back one by one, ${after.kept} stays with its holder`,
            holds: after.given === PAGES - 1 && after.kept === 1,
          },
        ],
        commands: ['pagetrail claims C18'],
      };
    },
  },
];
