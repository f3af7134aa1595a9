/** Claims that no run can decide: C16, C26, C27, C31, C32. */
import type { Claim } from './claim.js';

export const NOT_RUN: readonly Claim[] = [
  {
    id: 'C16',
    claim: 'the maintainers of x86 were copied and did not react',
    who: 'Song Liu',
    when: '28 April 2022',
    verdict: 'not run',
    because: 'about people, not about memory',
    look: null,
  },
  {
    id: 'C26',
    claim:
      'vmalloc_exec must not be exported, text must be written by text_poke, code grows up and data down',
    who: 'Peter Zijlstra',
    when: 'July 2022',
    verdict: 'not run',
    because: 'a demand on a design (it went into execmem), not a statement about a kernel',
    look: null,
  },
  {
    id: 'C27',
    claim: 'it should not be an interface of vmalloc; the first write should use text_poke',
    who: 'Christoph Hellwig',
    when: 'July 2022',
    verdict: 'not run',
    because: 'a demand on a design: execmem is outside vmalloc',
    look: null,
  },
  {
    id: 'C31',
    claim: 'freeing page tables of vmalloc races with walkers that take no lock',
    who: 'Rick Edgecombe',
    when: '22 April 2022',
    verdict: 'not run',
    because:
      'the model has no page-table pages and no walkers; kernel-model.md does not know whether it was fixed',
    look: null,
  },
  {
    id: 'C32',
    claim: 'huge pages in vmalloc were made for another use: memory of devices without page references',
    who: 'Linus Torvalds',
    when: '27 April 2022',
    verdict: 'not run',
    because: 'an opinion about a purpose',
    look: null,
  },
];
